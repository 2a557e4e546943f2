#include "log/checkpoints.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <functional>

#include "base/hash.h"
#include "log/live_files.h"

namespace helios::log {

namespace {

constexpr std::string_view file_name = "CHECKPOINT";
constexpr const char* disk_hint = "check space and permissions of the data directory";

bool is_table(std::string_view name) {
    return name.ends_with(".sst");
}

/// "1234" or, with a suffix, "1234.bad"; in exactly the form in which we write it.
std::optional<Offset> offset_in(std::string_view name, std::string_view suffix = "") {
    if (!name.ends_with(suffix)) {
        return std::nullopt;
    }
    name.remove_suffix(suffix.size());
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), value);
    if (error != std::errc() || std::to_string(value) != name) {
        return std::nullopt;
    }
    return Offset{value};
}

/// Whatever ails the disk, it is tried again.
Status unavailable_if_failed(Status done) {
    if (!done) {
        done.error().kind = ErrorKind::unavailable;
        if (done.error().hint.empty()) {
            done.error().hint = disk_hint;
        }
    }
    return done;
}

/// Reads in pieces: a MANIFEST may be large.
Result<std::uint32_t> sum_of(Disk& disk, const std::string& path) {
    HELIOS_TRY_ASSIGN(const auto file, disk.open(path, OpenMode::read));
    std::uint32_t sum = 0;
    std::vector<char> piece(64u << 10);
    for (std::uint64_t at = 0;;) {
        HELIOS_TRY_ASSIGN(const std::size_t n, read_fully(*file, at, piece));
        sum = crc32c({piece.data(), n}, sum);
        at += n;
        if (n < piece.size()) {
            return sum;
        }
    }
}

Status copy(Disk& disk, const std::string& from, const std::string& to, bool durably) {
    HELIOS_TRY_ASSIGN(const auto source, disk.open(from, OpenMode::read));
    HELIOS_TRY_ASSIGN(const auto target, disk.open(to, OpenMode::create));
    std::vector<char> piece(64u << 10);
    for (std::uint64_t at = 0;;) {
        HELIOS_TRY_ASSIGN(const std::size_t n, read_fully(*source, at, piece));
        HELIOS_TRY(target->pwrite(at, {piece.data(), n}));
        at += n;
        if (n < piece.size()) {
            return durably ? target->sync() : Status{};
        }
    }
}

/// Tables by a hard link, where the file system lets us, else durably: the next checkpoint has them
/// too, and nobody syncs them again.
Status link_or_copy(Disk& disk, const std::string& from, const std::string& to) {
    const bool table = is_table(from);
    return table && disk.link(from, to) ? Status{} : copy(disk, from, to, table);
}

}  // namespace

Status Checkpoints::clean() {
    {
        const MutexLock lock(mutex_);
        good_.clear();
    }
    HELIOS_TRY(disk_.make_directories(directory_));
    HELIOS_TRY(remove_live());
    HELIOS_TRY(remove_unfinished());
    return after("cleaned");
}

Status Checkpoints::remove_live() {
    HELIOS_TRY_ASSIGN(const auto names, disk_.list(directory_));
    for (const std::string& name : names) {
        if (name.starts_with(live_name)) {
            HELIOS_TRY(remove(directory_ + "/" + name));
        }
    }
    lives_ = 0;
    return {};
}

Status Checkpoints::remove_unfinished() {
    HELIOS_TRY_ASSIGN(const auto names, disk_.list(directory_));
    for (const std::string& name : names) {
        if (offset_in(name, ".new") || offset_in(name, ".new.tmp") || offset_in(name, ".old")) {
            HELIOS_TRY(remove(directory_ + "/" + name));
        }
    }
    return {};
}

Result<std::vector<Offset>> Checkpoints::list() {
    HELIOS_TRY_ASSIGN(const auto names, disk_.list(directory_));
    std::vector<Offset> out;
    for (const std::string& name : names) {
        if (const auto at = offset_in(name)) {
            out.push_back(*at);
        }
    }
    std::sort(out.begin(), out.end(), std::greater<>());
    return out;
}

Status Checkpoints::check_file(const std::string& in, const CheckpointFile& file) {
    const std::string path = in + "/" + file.name;
    auto opened = disk_.open(path, OpenMode::read);
    if (!opened && opened.error().kind != ErrorKind::not_found) {
        return fail(opened.error());
    }
    if (!opened) {
        return fail(ErrorKind::corrupt, "it lacks " + file.name + ": " + opened.error().what);
    }
    HELIOS_TRY_ASSIGN(const std::uint64_t bytes, (*opened)->size());
    if (bytes != file.bytes) {
        return fail(ErrorKind::corrupt, file.name + " has " + std::to_string(bytes) +
                                            " bytes instead of " + std::to_string(file.bytes));
    }
    if (file.sum) {
        HELIOS_TRY_ASSIGN(const std::uint32_t sum, sum_of(disk_, path));
        if (sum != *file.sum) {
            return fail(ErrorKind::corrupt, file.name + " is damaged");
        }
    }
    return {};
}

Result<CheckpointContent> Checkpoints::check(Offset at) {
    const std::string in = path_of(at);
    const std::string path = in + "/" + std::string(file_name);
    HELIOS_TRY_ASSIGN(const std::string bytes, read_file(disk_, path, checkpoint_file_bytes_max));
    HELIOS_TRY_ASSIGN(CheckpointContent content, decode_checkpoint(bytes, path));
    const CheckpointHeader& header = content.header;
    if (header.log != log_) {
        return fail(ErrorKind::conflict, "it is of another data directory",
                    "each data directory has its own; remove it");
    }
    if (header.topic != topic_ || header.partition != partition_ || header.next != at) {
        return fail(ErrorKind::conflict,
                    "it is of " + header.topic + "/" + std::to_string(header.partition) + " at " +
                        std::to_string(header.next.value),
                    "it was moved here; remove it");
    }
    for (const CheckpointFile& file : content.files) {
        HELIOS_TRY(check_file(in, file));
    }
    return content;
}

Result<std::string> Checkpoints::make_live(const std::optional<CheckpointContent>& content) {
    std::string path =
        directory_ + "/" + live_name + (lives_ == 0 ? std::string() : "." + std::to_string(lives_));
    if (auto filled = fill_live(path, content); !filled) {
        static_cast<void>(remove(path));
        return std::unexpected(std::move(filled).error());
    }
    ++lives_;
    HELIOS_TRY(after("live made"));
    return path;
}

Status Checkpoints::fill_live(const std::string& path,
                              const std::optional<CheckpointContent>& content) {
    HELIOS_TRY(remove(path));
    HELIOS_TRY(unavailable_if_failed(disk_.make_directory(path)));
    if (content) {
        const std::string from = path_of(content->header.next) + "/";
        for (const CheckpointFile& file : content->files) {
            HELIOS_TRY(unavailable_if_failed(
                link_or_copy(disk_, from + file.name, path + "/" + file.name)));
        }
    }
    return {};
}

Status Checkpoints::begin_from(std::optional<Offset> at) {
    std::vector<Offset> good;
    if (at) {
        good.push_back(*at);
        HELIOS_TRY_ASSIGN(const auto all, list());
        for (const Offset older : all) {
            if (older < *at && check(older)) {
                good.insert(good.begin(), older);
                break;
            }
        }
    }
    const MutexLock lock(mutex_);
    good_ = std::move(good);
    return {};
}

Result<std::string> Checkpoints::make_room(Offset at) {
    HELIOS_TRY(remove_unfinished());
    return path_of(at) + unfinished_suffix;
}

void Checkpoints::give_up() {
    static_cast<void>(remove_unfinished());  // make_room tries again
}

Result<std::vector<CheckpointFile>> Checkpoints::describe(const std::string& in) {
    HELIOS_TRY_ASSIGN(const auto names, disk_.list(in));
    std::vector<CheckpointFile> out;
    for (const std::string& name : names) {
        if (name.starts_with("OPTIONS-")) {  // nobody reads it: an open has its own
            HELIOS_TRY(disk_.remove(in + "/" + name));
            continue;
        }
        CheckpointFile file{name, 0, std::nullopt};
        HELIOS_TRY_ASSIGN(const auto opened, disk_.open(in + "/" + name, OpenMode::read));
        HELIOS_TRY_ASSIGN(file.bytes, opened->size());
        if (!is_table(name)) {
            HELIOS_TRY(opened->sync());
            HELIOS_TRY_ASSIGN(file.sum, sum_of(disk_, in + "/" + name));
        }
        out.push_back(std::move(file));
    }
    return out;
}

Status Checkpoints::finish(const CheckpointHeader& header) {
    const std::string path = path_of(header.next);
    const std::string fresh = path + unfinished_suffix;
    HELIOS_TRY_ASSIGN(auto files, describe(fresh));
    HELIOS_TRY(replace_file(disk_, fresh, std::string(file_name),
                            encode_checkpoint({header, std::move(files)})));
    HELIOS_TRY(after("described"));
    HELIOS_TRY_ASSIGN(const bool in_the_way, disk_.exists(path));
    if (in_the_way) {  // passed over at open, else it would be one of ours
        HELIOS_TRY(remove(path + ".bad"));
        HELIOS_TRY(disk_.rename(path, path + ".bad"));
        HELIOS_TRY(after("made way"));
    }
    HELIOS_TRY(disk_.rename(fresh, path));
    HELIOS_TRY(after("named"));
    HELIOS_TRY(disk_.sync_directory(directory_));
    HELIOS_TRY(after("named durably"));
    const MutexLock lock(mutex_);
    good_.push_back(header.next);
    if (good_.size() > 2) {
        good_.erase(good_.begin());
    }
    return {};
}

void Checkpoints::remove_overtaken() {
    std::vector<Offset> good;
    {
        const MutexLock lock(mutex_);
        good = good_;
    }
    const auto names = disk_.list(directory_);
    if (!names || good.empty()) {
        return;
    }
    for (const std::string& name : *names) {
        const std::string path = directory_ + "/" + name;
        const auto at = offset_in(name);
        const auto bad = offset_in(name, ".bad");
        const bool overtaken =
            at && *at <= good.back() && std::find(good.begin(), good.end(), *at) == good.end();
        if (overtaken && disk_.rename(path, path + ".old") && after("set aside")) {
            static_cast<void>(remove(path + ".old"));
        } else if ((bad && *bad <= good.back()) || offset_in(name, ".old")) {
            static_cast<void>(remove(path));
        }
        static_cast<void>(after("removed"));
    }
}

Status Checkpoints::reject() {
    const auto at = newest();
    if (!at) {
        return {};
    }
    const std::string path = path_of(*at);
    HELIOS_TRY(remove(path + ".bad"));
    HELIOS_TRY(disk_.rename(path, path + ".bad"));
    HELIOS_TRY(disk_.sync_directory(directory_));
    {
        const MutexLock lock(mutex_);
        good_.pop_back();
    }
    return remove_live();
}

Status Checkpoints::remove(const std::string& path) const {
    return unavailable_if_failed(disk_.remove_all(path));
}

std::optional<Offset> Checkpoints::newest() const {
    const MutexLock lock(mutex_);
    return good_.empty() ? std::nullopt : std::optional(good_.back());
}

std::optional<Offset> Checkpoints::kept_from() const {
    const MutexLock lock(mutex_);
    return good_.size() < 2 ? std::nullopt : std::optional(good_.front());
}

}  // namespace helios::log
