#pragma once
/// One file of a SimDisk: sparse bytes, and what of them a power cut may take back.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace helios::log {

/// Not thread-safe. With `tracked` a change is remembered until the next sync.
class SimInode {
public:
    using Coin = std::function<bool()>;

    std::uint64_t size() const { return size_; }
    std::size_t read(std::uint64_t offset, std::span<char> into) const;
    void write(std::uint64_t offset, std::string_view bytes, bool tracked);
    void resize(std::uint64_t bytes, bool tracked);
    void sync();
    /// A sync that failed: each dirty sector may have arrived; the others never will, whatever is
    /// synced later.
    void fail_sync(const Coin& coin);
    /// One dirty sector reaches the platter by itself; `pick` draws one of so many.
    void write_back(const std::function<std::size_t(std::size_t)>& pick);
    /// Keeps or loses what was not synced, in blocks of `tear` bytes: a device that writes 4 KiB
    /// doesn't tear them.
    void crash(const Coin& coin, std::uint64_t tear);

private:
    void poke(std::uint64_t offset, std::string_view bytes);
    void erase(std::uint64_t begin, std::uint64_t end);
    void remember(std::uint64_t offset, std::uint64_t count);

    std::map<std::uint64_t, std::unique_ptr<char[]>> pages_;
    std::uint64_t size_ = 0;
    std::map<std::uint64_t, std::string> undo_;  ///< dirty sector -> what a crash may bring back
    std::map<std::uint64_t, std::string>
        lost_;  ///< looks written, never will be: after a failed sync
    std::optional<std::uint64_t> synced_size_;  ///< if the size has changed since the last sync
};

}  // namespace helios::log
