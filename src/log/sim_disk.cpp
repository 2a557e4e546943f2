#include "log/sim_disk.h"

#include <algorithm>
#include <cstring>
#include <fmt/format.h>
#include <optional>
#include <set>

#include "base/assert.h"

namespace helios::log {
namespace {

constexpr std::uint64_t page_bytes = 64u << 10;
constexpr std::uint64_t sector_bytes = 512;

std::string parent_of(const std::string& path) {
    const auto slash = path.rfind('/');
    return slash == std::string::npos ? std::string() : path.substr(0, slash);
}

std::unexpected<Error> power_lost() {
    return fail(ErrorKind::unavailable, "simulated disk: no power");
}

/// Sparse bytes with the memory of what was there at the last sync.
class Inode {
public:
    std::uint64_t size() const { return size_; }

    std::size_t read(std::uint64_t offset, std::span<char> into) const {
        if (offset >= size_) {
            return 0;
        }
        const std::size_t total =
            static_cast<std::size_t>(std::min<std::uint64_t>(into.size(), size_ - offset));
        for (std::size_t done = 0; done < total;) {
            const std::uint64_t at = offset + done;
            const std::size_t n = static_cast<std::size_t>(
                std::min<std::uint64_t>(total - done, page_bytes - at % page_bytes));
            const auto page = pages_.find(at / page_bytes);
            if (page == pages_.end()) {
                std::memset(into.data() + done, 0, n);
            } else {
                std::memcpy(into.data() + done, page->second.get() + at % page_bytes, n);
            }
            done += n;
        }
        return total;
    }

    void write(std::uint64_t offset, std::string_view bytes, bool tracked) {
        if (tracked) {
            remember(offset, bytes.size());
        }
        poke(offset, bytes);
        size_ = std::max(size_, offset + bytes.size());
    }

    void resize(std::uint64_t bytes, bool tracked) {
        if (tracked && bytes < size_) {
            remember(bytes, size_ - bytes);
        }
        if (tracked && !synced_size_) {
            synced_size_ = size_;
        }
        if (bytes < size_) {
            erase(bytes, size_);
        }
        size_ = bytes;
    }

    void sync() {
        undo_.clear();
        synced_size_.reset();
    }

    /// A sync that failed: each dirty sector may have arrived; the others never will, whatever is
    /// synced later.
    template <class Coin>
    void fail_sync(Coin coin) {
        for (auto& [sector, old] : undo_) {
            if (!coin()) {
                lost_.emplace(sector, std::move(old));
            }
        }
        undo_.clear();
    }

    /// One dirty sector reaches the platter by itself.
    template <class Pick>
    void write_back(Pick pick) {
        if (undo_.empty()) {
            return;
        }
        auto it = undo_.begin();
        std::advance(it, static_cast<std::ptrdiff_t>(pick(undo_.size())));
        undo_.erase(it);
    }

    template <class Coin>
    void crash(Coin coin, std::uint64_t tear) {
        std::map<std::uint64_t, bool>
            kept;  // by block of `tear` bytes: a device that writes 4 KiB doesn't tear them
        const bool size_kept = coin();
        for (const auto& [sector, old] : undo_) {
            const auto [block, fresh] = kept.try_emplace(sector * sector_bytes / tear, false);
            if (fresh) {
                block->second = coin();
            }
            if (!block->second) {
                poke(sector * sector_bytes, old);
            }
        }
        for (const auto& [sector, old] : lost_) {
            poke(sector * sector_bytes, old);
        }
        if (synced_size_ && !size_kept) {
            if (*synced_size_ < size_) {
                erase(*synced_size_, size_);
            }
            size_ = *synced_size_;
        }
        undo_.clear();
        lost_.clear();
        synced_size_.reset();
    }

private:
    void poke(std::uint64_t offset, std::string_view bytes) {
        while (!bytes.empty()) {
            const std::size_t n = static_cast<std::size_t>(
                std::min<std::uint64_t>(bytes.size(), page_bytes - offset % page_bytes));
            auto& page = pages_[offset / page_bytes];
            if (!page) {
                page = std::make_unique<char[]>(page_bytes);
            }
            std::memcpy(page.get() + offset % page_bytes, bytes.data(), n);
            bytes.remove_prefix(n);
            offset += n;
        }
    }

    void erase(std::uint64_t begin, std::uint64_t end) {
        while (begin < end) {
            const std::uint64_t n = std::min(end - begin, page_bytes - begin % page_bytes);
            const auto page = pages_.find(begin / page_bytes);
            if (page != pages_.end()) {
                if (n == page_bytes) {
                    pages_.erase(page);
                } else {
                    std::memset(page->second.get() + begin % page_bytes, 0, n);
                }
            }
            begin += n;
        }
    }

    void remember(std::uint64_t offset, std::uint64_t count) {
        if (offset + count > size_ && !synced_size_) {
            synced_size_ = size_;
        }
        if (count == 0) {
            return;
        }
        for (std::uint64_t sector = offset / sector_bytes;
             sector <= (offset + count - 1) / sector_bytes; ++sector) {
            if (undo_.contains(sector)) {
                continue;
            }
            if (auto lost = lost_.find(sector); lost != lost_.end()) {
                undo_.emplace(sector, std::move(lost->second));
                lost_.erase(lost);
                continue;
            }
            std::string old(sector_bytes, '\0');
            read(sector * sector_bytes, old);
            undo_.emplace(sector, std::move(old));
        }
    }

    std::map<std::uint64_t, std::unique_ptr<char[]>> pages_;
    std::uint64_t size_ = 0;
    std::map<std::uint64_t, std::string> undo_;  ///< dirty sector -> what a crash may bring back
    std::map<std::uint64_t, std::string>
        lost_;  ///< looks written, never will be: after a failed sync
    std::optional<std::uint64_t> synced_size_;  ///< if the size has changed since the last sync
};

struct NameChange {
    std::string path;
    std::shared_ptr<Inode> inode;  ///< null: removed
    std::string also_removed;      ///< a rename's source
};

}  // namespace

struct SimDisk::State {
    mutable std::mutex mutex;
    std::uint64_t seed;
    bool tracked;
    std::uint64_t random_state;
    std::map<std::string, std::shared_ptr<Inode>> names;
    std::map<std::string, std::shared_ptr<Inode>> durable_names;
    std::vector<NameChange> unsynced_names;
    std::set<std::string> directories;
    std::set<std::string> locks;
    std::uint64_t generation = 0;
    std::uint64_t crash_in = 0;
    std::uint64_t fail_sync_in = 0;
    bool fail_all_syncs = false;
    bool dead = false;
    bool short_reads = false;
    bool odd_read = false;
    std::function<void()> sync_hook;
    std::uint64_t capacity = 0;
    std::uint64_t steps = 0;
    std::uint64_t syncs = 0;

    std::uint64_t next() {  // splitmix64
        std::uint64_t z = (random_state += 0x9e3779b97f4a7c15ull);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
        return z ^ (z >> 31);
    }
    bool coin() { return (next() & 1) != 0; }

    /// Whatever was open is dead, faults that were arranged are off.
    void reset() {
        locks.clear();
        dead = false;
        crash_in = 0;
        fail_sync_in = 0;
        fail_all_syncs = false;
        ++generation;
    }

    /// Counts a step; true if power fails during it.
    bool power_fails() {
        ++steps;
        if (crash_in > 0 && --crash_in == 0) {
            dead = true;
        }
        return dead;
    }

    std::uint64_t used() const {
        std::uint64_t total = 0;
        for (const auto& [path, inode] : names) {
            total += inode->size();
        }
        return total;
    }

    Status room_for(const Inode& inode, std::uint64_t end) const {
        if (capacity == 0 || end <= inode.size() || used() + (end - inode.size()) <= capacity) {
            return {};
        }
        return fail(ErrorKind::exhausted, "simulated disk: no space left on device",
                    "free space on the data directory's disk");
    }

    void change_name(NameChange change) {
        if (!change.also_removed.empty()) {
            names.erase(change.also_removed);
        }
        if (change.inode) {
            names[change.path] = change.inode;
        } else {
            names.erase(change.path);
        }
        if (tracked) {
            unsynced_names.push_back(std::move(change));
        }
    }

    void make_durable(const NameChange& change) {
        if (!change.also_removed.empty()) {
            durable_names.erase(change.also_removed);
        }
        if (change.inode) {
            durable_names[change.path] = change.inode;
        } else {
            durable_names.erase(change.path);
        }
    }
};

class SimFile final : public File {
public:
    SimFile(SimDisk::State& disk, std::shared_ptr<Inode> inode)
        : disk_(disk), inode_(std::move(inode)), generation_(disk.generation) {}

    Result<std::size_t> pread(std::uint64_t offset, std::span<char> into) override {
        const std::lock_guard lock(disk_.mutex);
        if (gone()) {
            return power_lost();
        }
        if (disk_.short_reads && into.size() > 1) {
            disk_.odd_read = !disk_.odd_read;
            if (disk_.odd_read) {
                into = into.first(1 + disk_.next() % (into.size() - 1));
            }
        }
        return inode_->read(offset, into);
    }

    Status pwrite(std::uint64_t offset, std::string_view bytes) override {
        const std::lock_guard lock(disk_.mutex);
        if (gone()) {
            return power_lost();
        }
        const bool last = disk_.power_fails();
        if (auto room = disk_.room_for(*inode_, offset + bytes.size()); !room) {
            return room;
        }
        inode_->write(offset, bytes, disk_.tracked);
        if (last) {
            return power_lost();
        }
        if (disk_.tracked && disk_.next() % 8 == 0) {
            inode_->write_back([&](std::size_t n) { return disk_.next() % n; });
        }
        return {};
    }

    Status sync() override {
        std::unique_lock lock(disk_.mutex);
        if (const auto hook = disk_.sync_hook) {
            lock.unlock();
            hook();
            lock.lock();
        }
        if (gone()) {
            return power_lost();
        }
        const bool last = disk_.power_fails();
        if (last) {
            if (disk_.coin()) {
                inode_->sync();
            }
            return power_lost();
        }
        const bool fails =
            disk_.fail_all_syncs || (disk_.fail_sync_in > 0 && --disk_.fail_sync_in == 0);
        if (fails) {
            inode_->fail_sync([&] { return disk_.coin(); });
            return fail(ErrorKind::unavailable, "simulated disk: input/output error in sync");
        }
        inode_->sync();
        ++disk_.syncs;
        return {};
    }

    Status preallocate(std::uint64_t bytes) override {
        const std::lock_guard lock(disk_.mutex);
        if (gone()) {
            return power_lost();
        }
        const bool last = disk_.power_fails();
        if (auto room = disk_.room_for(*inode_, bytes); !room) {
            return room;
        }
        if (bytes > inode_->size()) {
            inode_->resize(bytes, disk_.tracked);
        }
        if (last) {
            return power_lost();
        }
        return {};
    }

    Result<std::uint64_t> size() override {
        const std::lock_guard lock(disk_.mutex);
        if (gone()) {
            return power_lost();
        }
        return inode_->size();
    }

    Status truncate(std::uint64_t bytes) override {
        const std::lock_guard lock(disk_.mutex);
        if (gone()) {
            return power_lost();
        }
        const bool last = disk_.power_fails();
        inode_->resize(bytes, disk_.tracked);
        if (last) {
            return power_lost();
        }
        return {};
    }

    Result<bool> unlinked() override {
        const std::lock_guard lock(disk_.mutex);
        if (gone()) {
            return power_lost();
        }
        return std::none_of(disk_.names.begin(), disk_.names.end(),
                            [&](const auto& name) { return name.second == inode_; });
    }

private:
    bool gone() const { return disk_.dead || generation_ != disk_.generation; }

    SimDisk::State& disk_;
    std::shared_ptr<Inode> inode_;
    std::uint64_t generation_;
};

class SimLock final : public DirectoryLock {
public:
    Status sign(const std::string&) override { return {}; }
    SimLock(SimDisk::State& disk, std::string path)
        : disk_(disk), path_(std::move(path)), generation_(disk.generation) {}
    SimLock(const SimLock&) = delete;
    SimLock& operator=(const SimLock&) = delete;
    ~SimLock() override {
        const std::lock_guard lock(disk_.mutex);
        if (generation_ == disk_.generation) {
            disk_.locks.erase(path_);
        }
    }

private:
    SimDisk::State& disk_;
    std::string path_;
    std::uint64_t generation_;
};

SimDisk::SimDisk(std::uint64_t seed, Durability durability) : state_(std::make_unique<State>()) {
    state_->seed = seed;
    state_->random_state = seed * 0x2545f4914f6cdd1dull + 1;
    state_->tracked = durability == Durability::tracked;
}
SimDisk::~SimDisk() = default;

Status SimDisk::make_directories(const std::string& path) {
    const std::lock_guard lock(state_->mutex);
    if (state_->dead) {
        return power_lost();
    }
    for (std::string at = path; !at.empty() && state_->directories.insert(at).second;) {
        at = parent_of(at);
    }
    return {};
}

Result<std::unique_ptr<File>> SimDisk::open(const std::string& path, OpenMode mode) {
    const std::lock_guard lock(state_->mutex);
    if (state_->dead) {
        return power_lost();
    }
    auto found = state_->names.find(path);
    if (found == state_->names.end()) {
        if (mode != OpenMode::create || !state_->directories.contains(parent_of(path))) {
            return fail(ErrorKind::not_found, fmt::format("cannot open {}: no such file", path));
        }
        const bool last = state_->power_fails();
        state_->change_name({path, std::make_shared<Inode>(), {}});
        if (last) {
            return power_lost();
        }
        found = state_->names.find(path);
    }
    return std::make_unique<SimFile>(*state_, found->second);
}

Result<std::vector<std::string>> SimDisk::list(const std::string& path) {
    const std::lock_guard lock(state_->mutex);
    if (state_->dead) {
        return power_lost();
    }
    if (!state_->directories.contains(path)) {
        return fail(ErrorKind::not_found, fmt::format("cannot list {}: no such directory", path));
    }
    std::set<std::string> names;
    for (const auto& [name, inode] : state_->names) {
        if (parent_of(name) == path) {
            names.insert(name.substr(path.size() + 1));
        }
    }
    for (const auto& name : state_->directories) {
        if (name.size() > path.size() && parent_of(name) == path) {
            names.insert(name.substr(path.size() + 1));
        }
    }
    return std::vector<std::string>(names.begin(), names.end());
}

Result<bool> SimDisk::exists(const std::string& path) {
    const std::lock_guard lock(state_->mutex);
    if (state_->dead) {
        return power_lost();
    }
    return state_->names.contains(path) || state_->directories.contains(path);
}

Result<FileId> SimDisk::identify(const std::string& path) {
    const std::lock_guard lock(state_->mutex);
    if (state_->dead) {
        return power_lost();
    }
    if (const auto found = state_->names.find(path); found != state_->names.end()) {
        return FileId{1, reinterpret_cast<std::uintptr_t>(found->second.get())};
    }
    if (state_->directories.contains(path)) {
        return FileId{0, 0};  // nobody replaces those here
    }
    return fail(ErrorKind::not_found, fmt::format("cannot inspect {}: no such file", path));
}

Status SimDisk::check_writable(const std::string&) {
    return {};
}

Result<std::uint64_t> SimDisk::free_bytes(const std::string&) {
    const std::lock_guard lock(state_->mutex);
    return state_->capacity == 0 ? UINT64_MAX
                                 : state_->capacity - std::min(state_->capacity, state_->used());
}

Status SimDisk::remove(const std::string& path) {
    const std::lock_guard lock(state_->mutex);
    if (state_->dead) {
        return power_lost();
    }
    if (!state_->names.contains(path)) {
        return fail(ErrorKind::not_found, fmt::format("cannot remove {}: no such file", path));
    }
    const bool last = state_->power_fails();
    state_->change_name({path, nullptr, {}});
    if (last) {
        return power_lost();
    }
    return {};
}

Status SimDisk::rename(const std::string& from, const std::string& to) {
    const std::lock_guard lock(state_->mutex);
    if (state_->dead) {
        return power_lost();
    }
    const auto found = state_->names.find(from);
    if (found == state_->names.end()) {
        return fail(ErrorKind::not_found, fmt::format("cannot rename {}: no such file", from));
    }
    const bool last = state_->power_fails();
    state_->change_name({to, found->second, from});
    if (last) {
        return power_lost();
    }
    return {};
}

Status SimDisk::sync_directory(const std::string& path) {
    const std::lock_guard lock(state_->mutex);
    if (state_->dead) {
        return power_lost();
    }
    if (state_->power_fails()) {
        return power_lost();
    }
    std::erase_if(state_->unsynced_names, [&](const NameChange& change) {
        if (parent_of(change.path) != path) {
            return false;
        }
        state_->make_durable(change);
        return true;
    });
    return {};
}

Result<std::unique_ptr<DirectoryLock>> SimDisk::lock(const std::string& directory,
                                                     const std::string&) {
    const std::lock_guard lock(state_->mutex);
    if (state_->dead) {
        return power_lost();
    }
    if (!state_->directories.contains(directory)) {
        return fail(ErrorKind::not_found,
                    fmt::format("cannot lock {}: no such directory", directory));
    }
    if (!state_->locks.insert(directory).second) {
        return fail(ErrorKind::conflict, fmt::format("{} is in use by process 0", directory),
                    "stop that server, or choose another directory with --data");
    }
    return std::make_unique<SimLock>(*state_, directory);
}

std::uint64_t SimDisk::random() {
    const std::lock_guard lock(state_->mutex);
    return state_->next();
}

void SimDisk::crash_after(std::uint64_t steps) {
    const std::lock_guard lock(state_->mutex);
    state_->crash_in = steps;
}

void SimDisk::cut_power() {
    const std::lock_guard lock(state_->mutex);
    state_->dead = true;
}

bool SimDisk::crashed() const {
    const std::lock_guard lock(state_->mutex);
    return state_->dead;
}

std::uint64_t SimDisk::steps() const {
    const std::lock_guard lock(state_->mutex);
    return state_->steps;
}

void SimDisk::power_cycle() {
    const std::lock_guard lock(state_->mutex);
    State& s = *state_;
    HELIOS_ASSERT(s.tracked, "a disk that ignores durability cannot lose power");
    // A journalling file system keeps a prefix of the changes to names.
    const std::size_t kept =
        s.unsynced_names.empty() ? 0 : s.next() % (s.unsynced_names.size() + 1);
    for (std::size_t i = 0; i < kept; ++i) {
        s.make_durable(s.unsynced_names[i]);
    }
    s.unsynced_names.clear();
    s.names = s.durable_names;
    const std::uint64_t tear = s.coin() ? 512 : 4096;
    for (const auto& [path, inode] : s.names) {
        inode->crash([&] { return s.coin(); }, tear);
    }
    s.reset();
}

void SimDisk::restart_process() {
    const std::lock_guard lock(state_->mutex);
    state_->reset();
}

void SimDisk::fail_sync_after(std::uint64_t syncs) {
    const std::lock_guard lock(state_->mutex);
    state_->fail_sync_in = syncs;
}

void SimDisk::fail_syncs(bool on) {
    const std::lock_guard lock(state_->mutex);
    state_->fail_all_syncs = on;
}

void SimDisk::short_reads(bool on) {
    const std::lock_guard lock(state_->mutex);
    state_->short_reads = on;
}

void SimDisk::set_capacity(std::uint64_t bytes) {
    const std::lock_guard lock(state_->mutex);
    state_->capacity = bytes;
}

void SimDisk::on_sync(std::function<void()> hook) {
    const std::lock_guard lock(state_->mutex);
    state_->sync_hook = std::move(hook);
}

std::uint64_t SimDisk::syncs() const {
    const std::lock_guard lock(state_->mutex);
    return state_->syncs;
}

std::uint64_t SimDisk::bytes_used() const {
    const std::lock_guard lock(state_->mutex);
    return state_->used();
}

Result<std::string> SimDisk::contents(const std::string& path) {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->names.find(path);
    if (found == state_->names.end()) {
        return fail(ErrorKind::not_found, fmt::format("no file {}", path));
    }
    std::string bytes(found->second->size(), '\0');
    found->second->read(0, bytes);
    return bytes;
}

void SimDisk::put(const std::string& path, std::string_view bytes) {
    const std::lock_guard lock(state_->mutex);
    for (std::string at = parent_of(path); !at.empty() && state_->directories.insert(at).second;) {
        at = parent_of(at);
    }
    auto inode = std::make_shared<Inode>();
    inode->write(0, bytes, false);
    state_->names[path] = inode;
    state_->durable_names[path] = inode;
}

void SimDisk::damage(const std::string& path, std::uint64_t offset, std::string_view bytes) {
    const std::lock_guard lock(state_->mutex);
    const auto found = state_->names.find(path);
    HELIOS_ASSERT(found != state_->names.end(), "a file to damage");
    found->second->write(offset, bytes, false);
}

}  // namespace helios::log
