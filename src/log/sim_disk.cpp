#include "log/sim_disk.h"

#include <algorithm>
#include <fmt/format.h>
#include <optional>
#include <set>

#include "base/assert.h"
#include "base/mutex.h"
#include "log/sim_inode.h"

namespace helios::log {
namespace {

std::unexpected<Error> power_lost() {
    return fail(ErrorKind::unavailable, "simulated disk: no power");
}

std::unexpected<Error> io_error() {
    return fail(ErrorKind::unavailable, "simulated disk: input/output error");
}

std::unexpected<Error> not_there(std::string_view verb, const std::string& path) {
    return fail(ErrorKind::not_found, fmt::format("cannot {} {}: no such file", verb, path));
}

struct Folder;

/// What a name stands for, if anything.
struct Node {
    std::shared_ptr<SimInode> file;
    std::shared_ptr<Folder> folder;
    explicit operator bool() const { return file || folder; }
};

struct Folder {
    std::map<std::string, Node> names;
    std::map<std::string, Node> durable;  ///< what a power cut leaves at least
};

/// A name in a folder that is there.
struct Place {
    std::shared_ptr<Folder> folder;
    std::string name;

    Node node() const {
        if (!folder) {
            return {};
        }
        const auto found = folder->names.find(name);
        return found == folder->names.end() ? Node{} : found->second;
    }
};

struct NameChange {
    Place at;
    Node node;   ///< nothing: removed
    Place from;  ///< a rename's source; without a folder: none

    bool is_in(const Folder& folder) const {
        return at.folder.get() == &folder || from.folder.get() == &folder;
    }
};

using Names = std::map<std::string, Node> Folder::*;

void carry_out(const NameChange& change, Names names) {
    if (change.from.folder) {
        ((*change.from.folder).*names).erase(change.from.name);
    }
    if (change.node) {
        ((*change.at.folder).*names)[change.at.name] = change.node;
    } else {
        ((*change.at.folder).*names).erase(change.at.name);
    }
}

void forget_names_not_durable(Folder& folder) {
    folder.names = folder.durable;
    for (auto& [name, node] : folder.names) {
        if (node.folder) {
            forget_names_not_durable(*node.folder);
        }
    }
}

}  // namespace

struct SimDisk::State {
    mutable Mutex mutex;
    std::uint64_t seed HELIOS_GUARDED_BY(mutex);
    bool tracked HELIOS_GUARDED_BY(mutex);
    std::uint64_t random_state HELIOS_GUARDED_BY(mutex);
    std::shared_ptr<Folder> root HELIOS_GUARDED_BY(mutex) = std::make_shared<Folder>();
    std::vector<NameChange> unsynced_names HELIOS_GUARDED_BY(mutex);
    std::set<std::string> locks HELIOS_GUARDED_BY(mutex);
    std::uint64_t generation HELIOS_GUARDED_BY(mutex) = 0;
    std::uint64_t crash_in HELIOS_GUARDED_BY(mutex) = 0;
    std::uint64_t fail_step_in HELIOS_GUARDED_BY(mutex) = 0;
    std::uint64_t fail_sync_in HELIOS_GUARDED_BY(mutex) = 0;
    bool fail_all_steps HELIOS_GUARDED_BY(mutex) = false;
    bool fail_all_syncs HELIOS_GUARDED_BY(mutex) = false;
    bool dead HELIOS_GUARDED_BY(mutex) = false;
    bool short_reads HELIOS_GUARDED_BY(mutex) = false;
    bool odd_read HELIOS_GUARDED_BY(mutex) = false;
    std::function<void()> sync_hook HELIOS_GUARDED_BY(mutex);
    std::uint64_t capacity HELIOS_GUARDED_BY(mutex) = 0;
    std::uint64_t steps HELIOS_GUARDED_BY(mutex) = 0;
    std::uint64_t syncs HELIOS_GUARDED_BY(mutex) = 0;

    std::uint64_t next() HELIOS_REQUIRES(mutex) {  // splitmix64
        std::uint64_t z = (random_state += 0x9e3779b97f4a7c15ull);
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
        return z ^ (z >> 31);
    }
    bool coin() HELIOS_REQUIRES(mutex) { return (next() & 1) != 0; }

    /// Whatever was open is dead, faults that were arranged are off.
    void reset() HELIOS_REQUIRES(mutex) {
        locks.clear();
        dead = false;
        crash_in = 0;
        fail_step_in = 0;
        fail_sync_in = 0;
        fail_all_steps = false;
        fail_all_syncs = false;
        ++generation;
    }

    /// Counts a step; true if power fails during it.
    bool power_fails() HELIOS_REQUIRES(mutex) {
        ++steps;
        if (crash_in > 0 && --crash_in == 0) {
            dead = true;
        }
        return dead;
    }
    /// Whether this step, which has been counted, fails as a broken disk's does.
    bool step_fails() HELIOS_REQUIRES(mutex) {
        return fail_all_steps || (fail_step_in > 0 && --fail_step_in == 0);
    }

    /// The folder of that path; null: none.
    std::shared_ptr<Folder> folder(std::string_view path) const HELIOS_REQUIRES(mutex) {
        std::shared_ptr<Folder> at = root;
        while (at && !path.empty()) {
            const auto slash = std::min(path.find('/'), path.size());
            if (slash > 0) {
                at = Place{at, std::string(path.substr(0, slash))}.node().folder;
            }
            path.remove_prefix(std::min(slash + 1, path.size()));
        }
        return at;
    }
    Place place(std::string_view path) const HELIOS_REQUIRES(mutex) {
        const auto slash = path.rfind('/');
        return slash == std::string_view::npos
                   ? Place{root, std::string(path)}
                   : Place{folder(path.substr(0, slash)), std::string(path.substr(slash + 1))};
    }

    /// Folder by folder, in the order of names: the same for a seed whatever the addresses.
    static void each_file(const Folder& in, const std::function<void(SimInode&)>& visit) {
        for (const auto& [name, node] : in.names) {
            if (node.file) {
                visit(*node.file);
            } else {
                each_file(*node.folder, visit);
            }
        }
    }
    bool has_name(const SimInode& inode) const HELIOS_REQUIRES(mutex) {
        bool found = false;
        each_file(*root, [&](const SimInode& file) { found = found || &file == &inode; });
        return found;
    }
    std::uint64_t used() const HELIOS_REQUIRES(mutex) {
        std::uint64_t total = 0;
        std::set<const SimInode*> counted;
        each_file(*root, [&](const SimInode& file) {
            total += counted.insert(&file).second ? file.size() : 0;
        });
        return total;
    }

    Status room_for(const SimInode& inode, std::uint64_t end) const HELIOS_REQUIRES(mutex) {
        if (capacity == 0 || end <= inode.size() || used() + (end - inode.size()) <= capacity) {
            return {};
        }
        return fail(ErrorKind::exhausted, "simulated disk: no space left on device",
                    "free space on the data directory's disk");
    }

    /// A step of its own.
    Status change_name(NameChange change) HELIOS_REQUIRES(mutex) {
        const bool last = power_fails();
        if (!last && step_fails()) {
            return io_error();
        }
        carry_out(change, &Folder::names);
        if (tracked) {
            unsynced_names.push_back(std::move(change));
        }
        return last ? power_lost() : Status{};
    }

    /// File by file, from the leaves.
    Status remove_tree(const Place& place) HELIOS_REQUIRES(mutex) {
        if (const auto folder = place.node().folder) {
            while (!folder->names.empty()) {
                HELIOS_TRY(remove_tree({folder, folder->names.begin()->first}));
            }
        }
        return change_name({place, {}, {}});
    }

    /// Durably.
    std::shared_ptr<Folder> make_folders(std::string_view path) HELIOS_REQUIRES(mutex) {
        std::shared_ptr<Folder> at = root;
        while (!path.empty()) {
            const auto slash = std::min(path.find('/'), path.size());
            if (slash > 0) {
                const std::string name(path.substr(0, slash));
                auto& node = at->names[name];
                if (!node) {
                    node.folder = std::make_shared<Folder>();
                    at->durable[name] = node;
                }
                at = node.folder;
            }
            path.remove_prefix(std::min(slash + 1, path.size()));
        }
        return at;
    }
};

class SimFile final : public File {
public:
    SimFile(SimDisk::State& disk, std::shared_ptr<SimInode> inode)
        : disk_(disk), inode_(std::move(inode)), generation_(disk.generation) {}

    Result<std::size_t> pread(std::uint64_t offset, std::span<char> into) override {
        const MutexLock lock(disk_.mutex);
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
        const MutexLock lock(disk_.mutex);
        if (gone()) {
            return power_lost();
        }
        const bool last = disk_.power_fails();
        if (auto room = disk_.room_for(*inode_, offset + bytes.size()); !room) {
            return room;
        }
        if (!last && disk_.step_fails()) {
            inode_->write(offset, bytes.substr(0, disk_.next() % (bytes.size() + 1)),
                          disk_.tracked);
            return io_error();
        }
        inode_->write(offset, bytes, disk_.tracked);
        if (last) {
            return power_lost();
        }
        if (disk_.tracked && disk_.next() % 8 == 0) {
            inode_->write_back([&](std::size_t n)
                                   HELIOS_REQUIRES(disk_.mutex) { return disk_.next() % n; });
        }
        return {};
    }

    Status sync() override {
        MutexLock lock(disk_.mutex);
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
        const bool fails = disk_.step_fails() || disk_.fail_all_syncs ||
                           (disk_.fail_sync_in > 0 && --disk_.fail_sync_in == 0);
        if (fails) {
            inode_->fail_sync([&]() HELIOS_REQUIRES(disk_.mutex) { return disk_.coin(); });
            return fail(ErrorKind::unavailable, "simulated disk: input/output error in sync");
        }
        inode_->sync();
        ++disk_.syncs;
        return {};
    }

    Status preallocate(std::uint64_t bytes) override {
        const MutexLock lock(disk_.mutex);
        if (gone()) {
            return power_lost();
        }
        const bool last = disk_.power_fails();
        if (auto room = disk_.room_for(*inode_, bytes); !room) {
            return room;
        }
        if (!last && disk_.step_fails()) {
            return io_error();
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
        const MutexLock lock(disk_.mutex);
        if (gone()) {
            return power_lost();
        }
        return inode_->size();
    }

    Status truncate(std::uint64_t bytes) override {
        const MutexLock lock(disk_.mutex);
        if (gone()) {
            return power_lost();
        }
        const bool last = disk_.power_fails();
        if (!last && disk_.step_fails()) {
            return io_error();
        }
        inode_->resize(bytes, disk_.tracked);
        if (last) {
            return power_lost();
        }
        return {};
    }

    Result<bool> unlinked() override {
        const MutexLock lock(disk_.mutex);
        if (gone()) {
            return power_lost();
        }
        return !disk_.has_name(*inode_);
    }

private:
    bool gone() const HELIOS_REQUIRES(disk_.mutex) {
        return disk_.dead || generation_ != disk_.generation;
    }

    SimDisk::State& disk_;
    std::shared_ptr<SimInode> inode_;
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
        const MutexLock lock(disk_.mutex);
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
    const MutexLock lock(state_->mutex);
    if (state_->dead) {
        return power_lost();
    }
    static_cast<void>(state_->make_folders(path));
    return {};
}

Status SimDisk::make_directory(const std::string& path) {
    const MutexLock lock(state_->mutex);
    if (state_->dead) {
        return power_lost();
    }
    const Place at = state_->place(path);
    if (!at.folder) {
        return not_there("make", path);
    }
    if (at.node()) {
        return fail(ErrorKind::unavailable, fmt::format("cannot make {}: it exists", path));
    }
    return state_->change_name({at, {nullptr, std::make_shared<Folder>()}, {}});
}

Result<std::unique_ptr<File>> SimDisk::open(const std::string& path, OpenMode mode) {
    const MutexLock lock(state_->mutex);
    if (state_->dead) {
        return power_lost();
    }
    const Place at = state_->place(path);
    if (!at.node() && mode == OpenMode::create && at.folder) {
        HELIOS_TRY(state_->change_name({at, {std::make_shared<SimInode>(), nullptr}, {}}));
    }
    const Node found = at.node();
    if (!found.file) {
        return not_there("open", path);
    }
    return std::make_unique<SimFile>(*state_, found.file);
}

Result<std::vector<std::string>> SimDisk::list(const std::string& path) {
    const MutexLock lock(state_->mutex);
    if (state_->dead) {
        return power_lost();
    }
    const auto folder = state_->folder(path);
    if (!folder) {
        return fail(ErrorKind::not_found, fmt::format("cannot list {}: no such directory", path));
    }
    std::vector<std::string> names;
    for (const auto& [name, node] : folder->names) {
        names.push_back(name);
    }
    return names;
}

Result<bool> SimDisk::exists(const std::string& path) {
    const MutexLock lock(state_->mutex);
    if (state_->dead) {
        return power_lost();
    }
    return state_->folder(path) || state_->place(path).node();
}

Result<FileId> SimDisk::identify(const std::string& path) {
    const MutexLock lock(state_->mutex);
    if (state_->dead) {
        return power_lost();
    }
    if (const auto file = state_->place(path).node().file) {
        return FileId{1, reinterpret_cast<std::uintptr_t>(file.get())};
    }
    if (const auto folder = state_->folder(path)) {
        return FileId{1, reinterpret_cast<std::uintptr_t>(folder.get())};
    }
    return not_there("inspect", path);
}

Status SimDisk::check_writable(const std::string&) {
    return {};
}

Result<std::uint64_t> SimDisk::free_bytes(const std::string&) {
    const MutexLock lock(state_->mutex);
    return state_->capacity == 0 ? UINT64_MAX
                                 : state_->capacity - std::min(state_->capacity, state_->used());
}

Status SimDisk::remove(const std::string& path) {
    const MutexLock lock(state_->mutex);
    if (state_->dead) {
        return power_lost();
    }
    const Place at = state_->place(path);
    if (!at.node().file) {
        return not_there("remove", path);
    }
    return state_->change_name({at, {}, {}});
}

Status SimDisk::remove_all(const std::string& path) {
    const MutexLock lock(state_->mutex);
    if (state_->dead) {
        return power_lost();
    }
    const Place at = state_->place(path);
    return at.node() ? state_->remove_tree(at) : Status{};
}

Status SimDisk::rename(const std::string& from, const std::string& to) {
    const MutexLock lock(state_->mutex);
    if (state_->dead) {
        return power_lost();
    }
    const Place source = state_->place(from);
    const Node node = source.node();
    const Place target = state_->place(to);
    if (!node || !target.folder) {
        return not_there("rename", from);
    }
    if (const Node there = target.node();
        there && (!!there.folder != !!node.folder ||
                  (there.folder && there.folder != node.folder && !there.folder->names.empty()))) {
        return fail(ErrorKind::unavailable,
                    fmt::format("cannot rename {}: {} is in the way", from, to));
    }
    return state_->change_name({target, node, source});
}

Status SimDisk::link(const std::string& from, const std::string& to) {
    const MutexLock lock(state_->mutex);
    if (state_->dead) {
        return power_lost();
    }
    const Node node = state_->place(from).node();
    const Place target = state_->place(to);
    if (!node.file || !target.folder) {
        return not_there("link", from);
    }
    if (target.node()) {
        return fail(ErrorKind::unavailable, fmt::format("cannot link {}: {} exists", from, to));
    }
    return state_->change_name({target, node, {}});
}

Status SimDisk::sync_directory(const std::string& path) {
    const MutexLock lock(state_->mutex);
    if (state_->dead) {
        return power_lost();
    }
    if (state_->power_fails()) {
        return power_lost();
    }
    if (state_->step_fails()) {
        return io_error();
    }
    const auto folder = state_->folder(path);
    if (!folder) {
        return not_there("sync", path);
    }
    std::erase_if(state_->unsynced_names, [&](const NameChange& change) {
        if (!change.is_in(*folder)) {
            return false;
        }
        carry_out(change, &Folder::durable);
        return true;
    });
    return {};
}

Result<std::unique_ptr<DirectoryLock>> SimDisk::lock(const std::string& directory,
                                                     const std::string&) {
    const MutexLock lock(state_->mutex);
    if (state_->dead) {
        return power_lost();
    }
    if (!state_->folder(directory)) {
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
    const MutexLock lock(state_->mutex);
    return state_->next();
}

void SimDisk::crash_after(std::uint64_t steps) {
    const MutexLock lock(state_->mutex);
    state_->crash_in = steps;
}

void SimDisk::cut_power() {
    const MutexLock lock(state_->mutex);
    state_->dead = true;
}

bool SimDisk::crashed() const {
    const MutexLock lock(state_->mutex);
    return state_->dead;
}

std::uint64_t SimDisk::steps() const {
    const MutexLock lock(state_->mutex);
    return state_->steps;
}

void SimDisk::power_cycle() {
    State& s = *state_;
    const MutexLock lock(s.mutex);
    HELIOS_ASSERT(s.tracked, "a disk that ignores durability cannot lose power");
    // A journalling file system keeps a prefix of the changes to names.
    const std::size_t kept =
        s.unsynced_names.empty() ? 0 : s.next() % (s.unsynced_names.size() + 1);
    for (std::size_t i = 0; i < kept; ++i) {
        carry_out(s.unsynced_names[i], &Folder::durable);
    }
    s.unsynced_names.clear();
    forget_names_not_durable(*s.root);
    const std::uint64_t tear = s.coin() ? 512 : 4096;
    State::each_file(*s.root, [&](SimInode& file) {
        file.crash([&]() HELIOS_REQUIRES(s.mutex) { return s.coin(); }, tear);
    });
    s.reset();
}

void SimDisk::restart_process() {
    const MutexLock lock(state_->mutex);
    state_->reset();
}

void SimDisk::fail_step_after(std::uint64_t steps) {
    const MutexLock lock(state_->mutex);
    state_->fail_step_in = steps;
}

void SimDisk::fail_steps(bool on) {
    const MutexLock lock(state_->mutex);
    state_->fail_all_steps = on;
}

void SimDisk::fail_sync_after(std::uint64_t syncs) {
    const MutexLock lock(state_->mutex);
    state_->fail_sync_in = syncs;
}

void SimDisk::fail_syncs(bool on) {
    const MutexLock lock(state_->mutex);
    state_->fail_all_syncs = on;
}

void SimDisk::short_reads(bool on) {
    const MutexLock lock(state_->mutex);
    state_->short_reads = on;
}

void SimDisk::set_capacity(std::uint64_t bytes) {
    const MutexLock lock(state_->mutex);
    state_->capacity = bytes;
}

void SimDisk::on_sync(std::function<void()> hook) {
    const MutexLock lock(state_->mutex);
    state_->sync_hook = std::move(hook);
}

std::uint64_t SimDisk::syncs() const {
    const MutexLock lock(state_->mutex);
    return state_->syncs;
}

std::uint64_t SimDisk::bytes_used() const {
    const MutexLock lock(state_->mutex);
    return state_->used();
}

Result<std::string> SimDisk::contents(const std::string& path) {
    const MutexLock lock(state_->mutex);
    const auto file = state_->place(path).node().file;
    if (!file) {
        return fail(ErrorKind::not_found, fmt::format("no file {}", path));
    }
    std::string bytes(file->size(), '\0');
    file->read(0, bytes);
    return bytes;
}

void SimDisk::put(const std::string& path, std::string_view bytes) {
    const MutexLock lock(state_->mutex);
    const auto slash = path.rfind('/');
    const Place at{state_->make_folders(path.substr(0, slash == path.npos ? 0 : slash)),
                   path.substr(slash == path.npos ? 0 : slash + 1)};
    auto inode = std::make_shared<SimInode>();
    inode->write(0, bytes, false);
    at.folder->names[at.name] = {inode, nullptr};
    at.folder->durable[at.name] = {inode, nullptr};
}

void SimDisk::damage(const std::string& path, std::uint64_t offset, std::string_view bytes) {
    const MutexLock lock(state_->mutex);
    const auto file = state_->place(path).node().file;
    HELIOS_ASSERT(file != nullptr, "a file to damage");
    file->write(offset, bytes, false);
}

}  // namespace helios::log
