#include "store/slices.h"

#include <algorithm>
#include <fmt/format.h>
#include <set>
#include <utility>

#include "store/dump.h"
#include "store/file_set.h"
#include "store/migrations.h"
#include "store/slice_range.h"

namespace helios::store {
namespace {

/// Of the open slices, newest or not: the writer's cache is divided among few.
constexpr std::size_t cache_bytes_of_slice = 16u << 20;
constexpr std::size_t open_files_max = 80;

std::unexpected<Error> gone(const std::filesystem::path& file) {
    return fail(ErrorKind::unavailable, fmt::format("store: {} is gone", file.string()),
                "its events are not listed: restore it; or stop the server and make the store anew "
                "from the log: `helios store rebuild`");
}

/// nullopt: it was made, and nothing was ever committed to it.
Result<std::optional<SliceRange>> range_of(const std::filesystem::path& file) {
    HELIOS_TRY_ASSIGN(Database database, Database::open(file, Database::Mode::write));
    HELIOS_TRY(migrate(database, FileKind::slice));
    return range_in(database);
}

}  // namespace

// ---- Which there are

Result<std::unique_ptr<Slices>> Slices::open(const Options& options,
                                             const std::vector<KnownSlice>& known,
                                             Instant dropped_until) {
    std::unique_ptr<Slices> slices(new Slices(options, dropped_until));
    for (const KnownSlice& slice : known) {
        slices->slices_.try_emplace(slice.range.start, slice.range, slice.sealed, true);
        const auto file = slice_file(options.file, slice.range.start);
        if (!std::filesystem::exists(file)) {
            return gone(file);
        }
    }
    HELIOS_TRY(slices->find_files());
    return slices;
}

/// A slice whose file was made, and then the process ended before the current file knew of it; or
/// one that was dropped, of which something was still there when it ended, or was left by a reader
/// that opened it at that moment.
Status Slices::find_files() {
    std::error_code none;
    std::set<std::filesystem::path> unknown;
    for (const auto& entry :
         std::filesystem::directory_iterator(options_.file.parent_path(), none)) {
        const auto file = database_of(entry.path());
        const auto start = slice_start(file);
        if (start && !slices_.contains(*start)) {
            unknown.insert(file);
        }
    }
    for (const auto& file : unknown) {
        const Instant start = *slice_start(file);
        std::optional<SliceRange> range;
        if (start >= dropped_until_ && holder_of(start) == nullptr) {
            HELIOS_TRY_ASSIGN(range, range_of(file));
        }
        if (range) {
            slices_.try_emplace(start, *range);
        } else {
            HELIOS_TRY(remove_file_set(file));
        }
    }
    return {};
}

Slices::Slice* Slices::holder_of(Instant t) {
    const auto after = slices_.upper_bound(t);
    if (after == slices_.begin()) {
        return nullptr;
    }
    Slice& before = std::prev(after)->second;
    return before.range.holds(t) ? &before : nullptr;
}

SliceRange Slices::range_for(Instant t) const {
    SliceRange range = slice_at(t, options_.slice);
    const auto after = slices_.upper_bound(t);
    if (after != slices_.end()) {
        range.end = std::min(range.end, after->second.range.start);
    }
    if (after != slices_.begin()) {
        range.start = std::max(range.start, std::prev(after)->second.range.end);
    }
    range.start = std::max(range.start, dropped_until_);
    return range;
}

/// Null: what lies there was dropped.
Slices::Slice* Slices::slice_for(Instant t) {
    if (t < dropped_until_) {
        return nullptr;
    }
    if (Slice* slice = holder_of(t); slice != nullptr) {
        return slice;
    }
    const SliceRange range = range_for(t);
    return &slices_.try_emplace(range.start, range).first->second;
}

Result<SliceFile*> Slices::opened(Slice& slice) {
    if (slice.file) {
        return slice.file.get();
    }
    const auto path = slice_file(options_.file, slice.range.start);
    if (slice.told && !std::filesystem::exists(path)) {
        return gone(path);  // an empty one in its place would look whole
    }
    HELIOS_TRY_ASSIGN(auto file,
                      SliceFile::open(path, slice.range, options_.kinds_max, cache_bytes_of_slice));
    if (!slice.told) {  // before the current file names it
        HELIOS_TRY(sync_file_set(path));
        HELIOS_TRY(sync_folder(path.parent_path()));
    }
    slice.file = std::move(file);
    return slice.file.get();
}

std::vector<Slices::Slice*> Slices::near(Instant t) {
    std::vector<Slice*> near;
    const auto after = slices_.upper_bound(t);
    auto back = after;
    for (std::size_t n = 0; n < options_.slices_near_max && back != slices_.begin(); ++n) {
        --back;
        if (back->second.range.end + options_.copies_within <= t) {
            break;
        }
        near.push_back(&back->second);
    }
    auto ahead = after;
    for (std::size_t n = 0; n < options_.slices_near_max && ahead != slices_.end(); ++n, ++ahead) {
        if (ahead->second.range.start - options_.copies_within > t) {
            break;
        }
        near.push_back(&ahead->second);
    }
    return near;
}

Result<log::Offsets> Slices::lowest(log::Offsets current) {
    for (auto& [start, slice] : slices_) {
        if (slice.sealed) {
            continue;
        }
        HELIOS_TRY_ASSIGN(SliceFile * file, opened(slice));
        HELIOS_TRY_ASSIGN(const auto applied, applied_offsets(file->database()));
        lower_to(current, applied);
    }
    return current;
}

// ---- A batch

Status Slices::write(const Rows& rows, const log::Offsets& before) {
    Status outcome = write_rows(rows, before);
    if (!outcome) {
        for (auto& [start, slice] : slices_) {
            if (slice.file) {
                slice.file->roll_back();
            }
        }
        return outcome;
    }
    return seal_older();
}

Status Slices::write_rows(const Rows& rows, const log::Offsets& before) {
    for (auto& [start, slice] : slices_) {
        slice.used = false;
    }
    for (const auto& row : rows.events) {
        HELIOS_TRY(write_event(row));
    }
    for (const auto& leg : rows.case_legs) {
        if (Slice* slice = slice_for(leg.place.at); slice != nullptr) {
            HELIOS_TRY(begin(*slice));
            slice->used = true;
            HELIOS_TRY(slice->file->put_leg(leg));
        }
    }
    HELIOS_TRY(write_offsets(rows, before));
    return commit();
}

Status Slices::begin(Slice& slice) {
    HELIOS_TRY_ASSIGN(SliceFile * file, opened(slice));
    return file->begin();
}

Status Slices::write_event(const OfTenant<EventRow>& row) {
    Slice* own = slice_for(row.log_time);
    if (own == nullptr) {
        return {};
    }
    HELIOS_TRY(begin(*own));
    own->used = true;
    bool copy = false;
    for (Slice* slice : near(row.log_time)) {
        if (slice->damage && slice != own) {
            continue;
        }
        auto looked = look_for_copies(*slice, row, copy);
        if (!looked) {
            HELIOS_TRY(leave_alone(*slice, own, std::move(looked).error()));
        }
    }
    return own->file->put_event(row, copy);
}

/// `copy`: is there one in it of which `row` is a copy? The event's row that would come behind
/// `row` becomes a copy.
Status Slices::look_for_copies(Slice& slice, const OfTenant<EventRow>& row, bool& copy) {
    HELIOS_TRY_ASSIGN(SliceFile * file, opened(slice));
    HELIOS_TRY_ASSIGN(const bool alike, file->has_like(row));
    if (!alike) {
        return {};
    }
    if (!copy) {
        HELIOS_TRY_ASSIGN(copy, file->has_like_before(row, row.log_time - options_.copies_within));
    }
    HELIOS_TRY_ASSIGN(const auto later,
                      file->row_after(row, row.log_time + options_.copies_within));
    if (later) {
        HELIOS_TRY(begin(slice));
        slice.used = true;
        HELIOS_TRY(file->make_copy(row, *later));
    }
    return {};
}

/// One that can't be read keeps nothing out of the others: what is a copy of something in there
/// counts as an event until the store is made anew.
Status Slices::leave_alone(Slice& slice, const Slice* own, Error why) {
    const bool lost = why.kind == ErrorKind::corrupt ||
                      !std::filesystem::exists(slice_file(options_.file, slice.range.start));
    if (&slice == own || !lost) {
        return fail(std::move(why));
    }
    if (slice.file) {
        slice.file->roll_back();
    }
    slice.damage = std::move(why);
    return {};
}

/// A slice that is new begins where the current file stands.
Status Slices::write_offsets(const Rows& rows, const log::Offsets& before) {
    const auto put = [](SliceFile& file, const log::Offsets& offsets) -> Status {
        for (const auto& [partition, next] : offsets) {
            HELIOS_TRY(file.put_offset({partition.topic, partition.index, next.value}));
        }
        return {};
    };
    for (auto& [start, slice] : slices_) {
        if (slice.sealed) {
            continue;
        }
        HELIOS_TRY(begin(slice));
        if (!slice.told) {
            HELIOS_TRY(put(*slice.file, before));
        }
        HELIOS_TRY(put(*slice.file, rows.next_offsets));
    }
    return {};
}

Status Slices::commit() {
    for (auto& [start, slice] : slices_) {
        if (!slice.file || !slice.file->begun()) {
            continue;
        }
        HELIOS_TRY(slice.file->commit());
        if (slice.sealed) {
            HELIOS_TRY(sync_file_set(slice_file(options_.file, start)));
        }
    }
    return {};
}

/// All but the newest, once a batch has nothing for them.
Status Slices::seal_older() {
    if (slices_.empty()) {
        return {};
    }
    const Instant newest = slices_.rbegin()->first;
    for (auto& [start, slice] : slices_) {
        if (slice.sealed || start == newest || slice.used) {
            continue;
        }
        if (slice.file) {
            HELIOS_TRY(slice.file->database().checkpoint());  // its log is seldom needed again
        }
        HELIOS_TRY(sync_file_set(slice_file(options_.file, start)));
        slice.sealed = true;
        slice.told = false;
    }
    close_idle();
    return {};
}

void Slices::close_idle() {
    auto open = static_cast<std::size_t>(std::ranges::count_if(
        slices_, [](const auto& entry) { return entry.second.file != nullptr; }));
    for (auto& [start, slice] : slices_) {
        const bool far = slice.range.end + options_.copies_within < slices_.rbegin()->first;
        if (slice.file && slice.sealed && !slice.used && (far || open > open_files_max)) {
            slice.file.reset();
            --open;
        }
    }
}

std::vector<KnownSlice> Slices::news() const {
    std::vector<KnownSlice> news;
    for (const auto& [start, slice] : slices_) {
        if (!slice.told) {
            news.push_back({slice.range, slice.sealed});
        }
    }
    return news;
}

void Slices::told() {
    for (auto& [start, slice] : slices_) {
        slice.told = true;
    }
}

// ---- Retention, and files that others remove

std::vector<SliceRange> Slices::expired(Instant now) const {
    std::uint64_t bytes = 0;
    const auto size_of = [&](const Slice& slice) -> std::uint64_t {
        std::error_code none;
        const auto file = slice_file(options_.file, slice.range.start);
        const auto size = std::filesystem::file_size(file, none);
        return none ? 0 : size;
    };
    if (options_.keep_events_bytes_max > 0) {
        for (const auto& [start, slice] : slices_) {
            bytes += size_of(slice);
        }
    }
    std::vector<SliceRange> gone;
    for (const auto& [start, slice] : slices_) {
        const bool old = options_.keep_events > Duration::zero() &&
                         slice.range.end + options_.keep_events <= now;
        const bool large = options_.keep_events_bytes_max > 0 &&
                           bytes > options_.keep_events_bytes_max &&
                           start != slices_.rbegin()->first;
        if (!old && !large) {
            break;
        }
        gone.push_back(slice.range);
        bytes -= std::min(bytes, size_of(slice));
    }
    return gone;
}

void Slices::drop(const std::vector<SliceRange>& gone, Instant dropped_until) {
    for (const SliceRange& range : gone) {
        slices_.erase(range.start);
        (void)remove_file_set(slice_file(options_.file, range.start));
    }
    dropped_until_ = dropped_until;
}

std::vector<std::filesystem::path> Slices::open_files() const {
    std::vector<std::filesystem::path> files;
    for (const auto& [start, slice] : slices_) {
        if (slice.file) {
            files.push_back(slice_file(options_.file, start));
        }
    }
    return files;
}

std::optional<Error> Slices::damage() const {
    for (const auto& [start, slice] : slices_) {
        if (slice.damage) {
            return slice.damage;
        }
        const auto file = slice_file(options_.file, start);
        if (slice.told && !slice.file && !std::filesystem::exists(file)) {
            return gone(file).error();
        }
    }
    return std::nullopt;
}

Status Slices::remake(const std::filesystem::path& file) {
    const auto found = slices_.find(slice_start(file).value_or(Instant{}));
    if (found == slices_.end() || !found->second.file) {
        return {};
    }
    HELIOS_TRY(remake_file_set(found->second.file->database(), file));
    found->second.file.reset();
    HELIOS_TRY(opened(found->second));
    return {};
}

}  // namespace helios::store
