#include "log/sim_inode.h"

#include <algorithm>
#include <cstring>

namespace helios::log {
namespace {

constexpr std::uint64_t page_bytes = 64u << 10;
constexpr std::uint64_t sector_bytes = 512;

}  // namespace

std::size_t SimInode::read(std::uint64_t offset, std::span<char> into) const {
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

void SimInode::write(std::uint64_t offset, std::string_view bytes, bool tracked) {
    if (tracked) {
        remember(offset, bytes.size());
    }
    poke(offset, bytes);
    size_ = std::max(size_, offset + bytes.size());
}

void SimInode::resize(std::uint64_t bytes, bool tracked) {
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

void SimInode::sync() {
    undo_.clear();
    synced_size_.reset();
}

void SimInode::fail_sync(const Coin& coin) {
    for (auto& [sector, old] : undo_) {
        if (!coin()) {
            lost_.emplace(sector, std::move(old));
        }
    }
    undo_.clear();
}

void SimInode::write_back(const std::function<std::size_t(std::size_t)>& pick) {
    if (undo_.empty()) {
        return;
    }
    auto it = undo_.begin();
    std::advance(it, static_cast<std::ptrdiff_t>(pick(undo_.size())));
    undo_.erase(it);
}

void SimInode::crash(const Coin& coin, std::uint64_t tear) {
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

void SimInode::poke(std::uint64_t offset, std::string_view bytes) {
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

void SimInode::erase(std::uint64_t begin, std::uint64_t end) {
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

void SimInode::remember(std::uint64_t offset, std::uint64_t count) {
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

}  // namespace helios::log
