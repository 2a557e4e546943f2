#include "store/slices.h"

#include <algorithm>
#include <fmt/format.h>
#include <utility>

#include "store/dump.h"
#include "store/file_set.h"
#include "store/migrations.h"

namespace helios::store {
namespace {

/// Of the open slices, newest or not: the writer's cache is divided among few.
constexpr std::size_t cache_bytes_of_slice = 16u << 20;
constexpr std::size_t open_files_max = 80;

/// Empty: it was made, and nothing was ever committed to it.
Result<std::optional<SliceRange>> range_of(const std::filesystem::path& file) {
    HELIOS_TRY_ASSIGN(Database database, Database::open(file, Database::Mode::write));
    HELIOS_TRY(migrate(database, FileKind::slice));
    Prepared<TheRange> statement;
    HELIOS_TRY(statement.prepare(database));
    HELIOS_TRY_ASSIGN(const auto rows, statement.ask().rows());
    if (rows.empty()) {
        return std::nullopt;
    }
    if (rows.size() != 1 || slice_start(file) != rows.front().start ||
        rows.front().end <= rows.front().start) {
        return fail(ErrorKind::corrupt,
                    fmt::format("store: {} does not say what time it is of", file.string()),
                    "`helios store rebuild` makes the store anew from the log");
    }
    return rows.front();
}

}  // namespace

// ---- Which there are

Result<std::unique_ptr<Slices>> Slices::open(const Options& options,
                                             const std::vector<KnownSlice>& known,
                                             Instant dropped_until) {
    std::unique_ptr<Slices> slices(new Slices(options, dropped_until));
    for (const KnownSlice& slice : known) {
        slices->slices_[slice.range.start] = {slice.range, slice.sealed, true, false, nullptr};
        if (!std::filesystem::exists(slice_file(options.file, slice.range.start))) {
            return fail(ErrorKind::unavailable,
                        fmt::format("store: {} is gone",
                                    slice_file(options.file, slice.range.start).string()),
                        "restore it; or make the store anew from the log: `helios store rebuild`");
        }
    }
    HELIOS_TRY(slices->find_files());
    return slices;
}

/// A slice whose file was made, and then the process ended before the current file knew of it; or
/// one that was dropped, and whose file was still there when it ended.
Status Slices::find_files() {
    std::error_code none;
    std::vector<std::filesystem::path> unknown;
    for (const auto& entry :
         std::filesystem::directory_iterator(options_.file.parent_path(), none)) {
        const auto start = slice_start(entry.path());
        if (start && !slices_.contains(*start)) {
            unknown.push_back(entry.path());
        }
    }
    for (const auto& file : unknown) {
        const Instant start = *slice_start(file);
        const auto after = slices_.upper_bound(start);
        const bool overlaps =
            after != slices_.begin() && std::prev(after)->second.range.end > start;
        if (start < dropped_until_ || overlaps) {
            HELIOS_TRY(remove_file_set(file));
            continue;
        }
        HELIOS_TRY_ASSIGN(const auto range, range_of(file));
        if (!range) {
            HELIOS_TRY(remove_file_set(file));
            continue;
        }
        slices_[start] = {*range, false, false, false, nullptr};
    }
    return {};
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
    const auto after = slices_.upper_bound(t);
    if (after != slices_.begin() && std::prev(after)->second.range.holds(t)) {
        return &std::prev(after)->second;
    }
    const SliceRange range = range_for(t);
    return &slices_.emplace(range.start, Slice{range, false, false, false, nullptr}).first->second;
}

Result<SliceFile*> Slices::opened(Slice& slice) {
    if (!slice.file) {
        const auto path = slice_file(options_.file, slice.range.start);
        const bool is_new = !std::filesystem::exists(path);
        HELIOS_TRY_ASSIGN(slice.file, SliceFile::open(path, slice.range, options_.kinds_max,
                                                      cache_bytes_of_slice));
        if (is_new) {  // before the current file names it
            HELIOS_TRY(sync_file_set(path));
            HELIOS_TRY(sync_folder(path.parent_path()));
        }
    }
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
        HELIOS_TRY_ASSIGN(SliceFile * file, opened(*slice));
        HELIOS_TRY_ASSIGN(const bool alike, file->has_like(row));
        if (!alike) {
            continue;
        }
        if (!copy) {
            HELIOS_TRY_ASSIGN(copy,
                              file->has_like_before(row, row.log_time - options_.copies_within));
        }
        HELIOS_TRY_ASSIGN(const auto later,
                          file->row_after(row, row.log_time + options_.copies_within));
        if (later) {
            HELIOS_TRY(begin(*slice));
            slice->used = true;
            HELIOS_TRY(file->make_copy(row, *later));
        }
    }
    return own->file->put_event(row, copy);
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
