#include "log/segments.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <limits>

namespace helios::log {
namespace {

constexpr std::string_view suffix = ".seg";
constexpr std::size_t open_files_max = 32;
constexpr std::uint64_t no_limit = std::numeric_limits<std::uint64_t>::max();

std::optional<std::uint64_t> base_of(std::string_view name) {
    if (name.size() != 16 + suffix.size() || !name.ends_with(suffix)) {
        return std::nullopt;
    }
    std::uint64_t base = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + 16, base, 16);
    if (error != std::errc{} || end != name.data() + 16) {
        return std::nullopt;
    }
    return base;
}

}  // namespace

std::string segment_name(std::uint64_t base) {
    return fmt::format("{:016x}{}", base, suffix);
}

Status remove_dropped(Disk& disk, const std::string& directory, std::uint64_t begin) {
    HELIOS_TRY_ASSIGN(const auto names, disk.list(directory));  // sorted: by base
    bool any = false;
    for (const std::string& name : names) {
        const auto base = base_of(name);
        if (base && *base < begin) {
            HELIOS_TRY(disk.remove(directory + "/" + name));
            any = true;
        }
    }
    return any ? disk.sync_directory(directory) : Status{};
}

SegmentTable::SegmentTable(Disk& disk, std::string directory, std::uint8_t journal)
    : disk_(disk), directory_(std::move(directory)), journal_(journal) {}

Status SegmentTable::load() {
    HELIOS_TRY_ASSIGN(const auto names, disk_.list(directory_));
    for (const std::string& name : names) {
        const auto base = base_of(name);
        if (!base) {
            continue;
        }
        {
            const MutexLock lock(mutex_);
            if (*base < begin_) {
                continue;
            }
            const auto known = std::find_if(segments_.begin(), segments_.end(),
                                            [&](const auto& s) { return s->base == *base; });
            if (known != segments_.end() && *known != segments_.back()) {
                continue;
            }
        }
        auto segment = inspect(name, *base);
        if (!segment && segment.error().kind == ErrorKind::not_found) {
            continue;  // dropped since it was listed
        }
        HELIOS_TRY(segment);
        add(*std::move(segment));
    }
    return {};
}

Result<Segment> SegmentTable::inspect(const std::string& name, std::uint64_t base) {
    Segment segment;
    segment.path = directory_ + "/" + name;
    segment.base = base;
    HELIOS_TRY_ASSIGN(auto file, disk_.open(segment.path, OpenMode::read));
    std::string bytes(4096, '\0');
    HELIOS_TRY_ASSIGN(const std::size_t n, read_fully(*file, 0, bytes));
    bytes.resize(n);
    std::optional<format::SegmentHeader> header;
    if (const auto length = format::segment_header_length(bytes)) {
        if (*length > bytes.size()) {
            HELIOS_TRY_ASSIGN(const std::uint64_t size, file->size());
            bytes.resize(static_cast<std::size_t>(std::min<std::uint64_t>(*length, size)));
            HELIOS_TRY_ASSIGN(const std::size_t all, read_fully(*file, 0, bytes));
            bytes.resize(all);
        }
        header = format::decode_segment_header(bytes);
    }
    if (header && header->base == base && header->journal == journal_) {
        segment.salt = header->salt;
        segment.header_bytes = header->bytes;
        segment.after = header->snapshot.last_time;
        return segment;
    }
    segment.header_intact = false;
    HELIOS_TRY(salvage(*file, segment));
    return segment;
}

// The header is gone; every group header repeats the salt and names its own position.
Status SegmentTable::salvage(File& file, Segment& segment) {
    HELIOS_TRY_ASSIGN(const std::uint64_t size, file.size());
    std::string window;
    constexpr std::uint64_t step = 1u << 20;
    for (std::uint64_t at = 0; at < size; at += step) {
        window.resize(static_cast<std::size_t>(
            std::min<std::uint64_t>(size - at, step + format::group_header_bytes)));
        HELIOS_TRY_ASSIGN(const std::size_t n, read_fully(file, at, window));
        const std::string_view view = std::string_view(window).substr(0, n);
        const std::string magic = format::group_prefix(0).substr(0, 4);
        for (std::size_t found = view.find(magic); found != std::string_view::npos;
             found = view.find(magic, found + 1)) {
            const auto group = format::decode_group_header(view.substr(found));
            if (!group || group->position != segment.base + at + found ||
                at + found > format::segment_header_bytes_max) {
                continue;
            }
            segment.salt = group->salt;
            segment.header_bytes = static_cast<std::uint32_t>(at + found);
            segment.after = group->first_time;  // what stands before may tie with it
            return {};
        }
    }
    return {};
}

void SegmentTable::add(Segment segment) {
    const MutexLock lock(mutex_);
    const auto at =
        std::lower_bound(segments_.begin(), segments_.end(), segment.base,
                         [](const auto& s, std::uint64_t base) { return s->base < base; });
    auto entry = std::make_shared<const Segment>(std::move(segment));
    open_.remove_if([&](const auto& open) { return open.first == entry->base; });
    if (at != segments_.end() && (*at)->base == entry->base) {
        *at = std::move(entry);
    } else {
        segments_.insert(at, std::move(entry));
    }
}

std::vector<std::string> SegmentTable::drop_below(std::uint64_t begin) {
    const MutexLock lock(mutex_);
    std::vector<std::string> dropped;
    begin = begin_ = std::max(begin_, begin);
    std::erase_if(segments_, [&](const auto& segment) {
        if (segment->base < begin) {
            dropped.push_back(segment->path);
        }
        return segment->base < begin;
    });
    open_.remove_if([&](const auto& open) { return open.first < begin; });
    return dropped;
}

std::uint64_t SegmentTable::begin() const {
    const MutexLock lock(mutex_);
    return begin_;
}

bool SegmentTable::has(std::uint64_t base) const {
    const MutexLock lock(mutex_);
    return std::ranges::any_of(segments_, [&](const auto& s) { return s->base == base; });
}

std::optional<SegmentTable::Place> SegmentTable::find(std::uint64_t position) const {
    const MutexLock lock(mutex_);
    if (segments_.empty()) {
        return std::nullopt;
    }
    auto after = std::upper_bound(segments_.begin(), segments_.end(), position,
                                  [](std::uint64_t p, const auto& s) { return p < s->base; });
    if (after == segments_.begin()) {
        ++after;
    }
    return Place{*(after - 1), after == segments_.end() ? no_limit : (*after)->base};
}

std::optional<SegmentTable::Place> SegmentTable::find_time(Instant t) const {
    const MutexLock lock(mutex_);
    if (segments_.empty()) {
        return std::nullopt;
    }
    std::size_t best = 0;
    for (std::size_t i = 0; i < segments_.size(); ++i) {
        if (segments_[i]->header_intact && segments_[i]->after < t) {
            best = i;
        }
    }
    return Place{segments_[best],
                 best + 1 < segments_.size() ? segments_[best + 1]->base : no_limit};
}

std::vector<std::shared_ptr<const Segment>> SegmentTable::all() const {
    const MutexLock lock(mutex_);
    return segments_;
}

Result<std::shared_ptr<File>> SegmentTable::file(const Segment& segment) {
    const MutexLock lock(mutex_);
    for (auto it = open_.begin(); it != open_.end(); ++it) {
        if (it->first != segment.base) {
            continue;
        }
        open_.splice(open_.begin(), open_, it);
        return it->second;
    }
    HELIOS_TRY_ASSIGN(auto file, disk_.open(segment.path, OpenMode::read));
    std::shared_ptr<File> shared = std::move(file);
    open_.emplace_front(segment.base, shared);
    if (open_.size() > open_files_max) {
        open_.pop_back();
    }
    return shared;
}

Result<std::optional<format::SegmentHeader>> SegmentTable::header(const Segment& segment) {
    if (!segment.header_intact) {
        return std::nullopt;
    }
    HELIOS_TRY_ASSIGN(const auto f, file(segment));
    std::string bytes(segment.header_bytes, '\0');
    HELIOS_TRY_ASSIGN(const std::size_t n, read_fully(*f, 0, bytes));
    bytes.resize(n);
    return format::decode_segment_header(bytes);
}

void RecentGroups::push(std::uint64_t begin, std::shared_ptr<const std::string> group) {
    const MutexLock lock(mutex_);
    bytes_ += group->size();
    groups_.push_back({begin, std::move(group), true});
    while (bytes_ > bytes_max_ && !groups_.empty()) {
        bytes_ -= groups_.front().bytes->size();
        groups_.pop_front();
    }
}

std::optional<Block> RecentGroups::find(std::uint64_t position) const {
    const MutexLock lock(mutex_);
    auto after = std::upper_bound(groups_.begin(), groups_.end(), position,
                                  [](std::uint64_t p, const Block& b) { return p < b.begin; });
    if (after == groups_.begin()) {
        return std::nullopt;
    }
    --after;
    if (!after->holds(position)) {
        return std::nullopt;
    }
    return *after;
}

Result<std::string_view> JournalBytes::at(const Segment& segment, std::uint64_t position,
                                          std::size_t n, std::uint64_t end) {
    if (position >= end) {
        return std::string_view();
    }
    n = static_cast<std::size_t>(std::min<std::uint64_t>(n, end - position));
    if (block_.holds(position) && block_.from(position).size() >= n) {
        const std::string_view view = block_.from(position);
        return view.substr(
            0, static_cast<std::size_t>(std::min<std::uint64_t>(view.size(), end - position)));
    }
    if (recent_ != nullptr) {
        if (auto recent = recent_->find(position); recent && recent->from(position).size() >= n) {
            block_ = std::move(*recent);
            return block_.from(position).substr(0, static_cast<std::size_t>(end - position));
        }
    }
    HELIOS_TRY_ASSIGN(const auto file, segments_.file(segment));
    // Never more than there is: a torn length field must not become an allocation.
    HELIOS_TRY_ASSIGN(const std::uint64_t size, file->size());
    const std::uint64_t offset = position - segment.base;
    if (offset >= size) {
        return std::string_view();
    }
    const std::uint64_t want =
        std::min({std::max<std::uint64_t>(n, read_ahead_), end - position, size - offset});
    auto bytes = std::make_shared<std::string>();
    bytes->resize(static_cast<std::size_t>(want));
    HELIOS_TRY_ASSIGN(const std::size_t got, read_fully(*file, offset, *bytes));
    bytes->resize(got);
    block_ = {position, std::move(bytes), false};
    return got == 0 ? std::string_view() : block_.from(position);
}

}  // namespace helios::log
