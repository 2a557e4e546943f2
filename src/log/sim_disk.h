#pragma once
/// A disk in memory: the backend of `--ephemeral`, and in the simulator a disk that loses power.
///
/// With `Durability::ignored` it is plain memory. With `Durability::tracked` it remembers, per
/// 512-byte sector, what was there at the last successful sync, so that a power cut can keep, lose
/// or tear every unsynced write, in any order, and names can be lost until their directory is
/// synced. Everything random comes from the seed.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "log/disk.h"

namespace helios::log {

/// Thread-safe. Must outlive its files and locks.
class SimDisk final : public Disk {
public:
    enum class Durability { ignored, tracked };
    explicit SimDisk(std::uint64_t seed = 1, Durability durability = Durability::ignored);
    ~SimDisk() override;

    Status make_directories(const std::string& path) override;
    Status make_directory(const std::string& path) override;
    Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
    Result<std::vector<std::string>> list(const std::string& path) override;
    Result<bool> exists(const std::string& path) override;
    Result<FileId> identify(const std::string& path) override;
    Status check_writable(const std::string& path) override;
    Result<std::uint64_t> free_bytes(const std::string& path) override;
    Status remove(const std::string& path) override;
    Status rename(const std::string& from, const std::string& to) override;
    Status remove_all(const std::string& path) override;
    Status link(const std::string& from, const std::string& to) override;
    Status sync_directory(const std::string& path) override;
    Result<std::unique_ptr<DirectoryLock>> lock(const std::string& directory,
                                                const std::string& signature) override;
    std::uint64_t random() override;

    // -- Faults. Steps are operations that change the disk: write, sync, preallocate, truncate,
    // make, remove, rename, link, sync of a folder.

    /// Power fails during the n-th step from now (1 = the next). That step may have happened, in
    /// part or not at all; everything afterwards fails until power_cycle().
    void crash_after(std::uint64_t steps);
    /// Power fails now.
    void cut_power();
    bool crashed() const;
    std::uint64_t steps() const;
    /// Power off (if it isn't) and on again: unsynced sectors and names survive at random; open
    /// files and locks are dead.
    void power_cycle();
    /// The process dies and a new one starts, the machine stays up: open files and locks are dead,
    /// what was written is there, still unsynced.
    void restart_process();
    /// The n-th step from now fails as a broken disk's does: what it was to write may be there in
    /// part, a name is as it was. 0: none.
    void fail_step_after(std::uint64_t steps);
    /// Every step fails so until told otherwise.
    void fail_steps(bool on);
    /// The n-th sync from now fails; what it should have made durable may or may not be, and stays
    /// so. 0: none.
    void fail_sync_after(std::uint64_t syncs);
    /// Every sync fails until told otherwise.
    void fail_syncs(bool on);
    /// Every other read answers with fewer bytes than asked.
    void short_reads(bool on);
    /// Files may hold this many bytes together; beyond it writes are `exhausted`. 0: no limit.
    void set_capacity(std::uint64_t bytes);
    /// Called by whoever syncs a file, before the sync and without a lock: how tests hold a sync
    /// while other calls gather.
    void on_sync(std::function<void()> hook);

    std::uint64_t syncs() const;  ///< successful ones, of files
    std::uint64_t bytes_used() const;

    // -- The hand of fate and of tests: durable at once, past all rules.
    Result<std::string> contents(const std::string& path);
    void put(const std::string& path, std::string_view bytes);
    void damage(const std::string& path, std::uint64_t offset, std::string_view bytes);

private:
    friend class SimFile;
    friend class SimLock;
    struct State;
    std::unique_ptr<State> state_;
};

}  // namespace helios::log
