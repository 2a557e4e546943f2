#pragma once
/// One bound on the memory of all request bodies together, or of all answers, however many
/// connections there are.

#include <atomic>
#include <cstddef>
#include <utility>

namespace helios::http {

/// Thread-safe. Outlives every Charge on it.
class ByteBudget {
public:
    explicit ByteBudget(std::size_t bytes_max) : bytes_max_(bytes_max) {}

    /// As long as `spare` bytes are left for others.
    bool try_take(std::size_t bytes, std::size_t spare = 0) {
        const std::size_t before = used_.fetch_add(bytes, std::memory_order_relaxed);
        if (before + bytes > bytes_max_ - spare) {
            used_.fetch_sub(bytes, std::memory_order_relaxed);
            return false;
        }
        return true;
    }
    void give_back(std::size_t bytes) { used_.fetch_sub(bytes, std::memory_order_relaxed); }

    std::size_t used() const { return used_.load(std::memory_order_relaxed); }
    std::size_t bytes_max() const { return bytes_max_; }

private:
    const std::size_t bytes_max_;
    std::atomic<std::size_t> used_{0};
};

/// What one request has taken; gives it back when it ends. Not thread-safe.
class Charge {
public:
    Charge() = default;
    explicit Charge(ByteBudget& budget) : budget_(&budget) {}
    Charge(Charge&& other) noexcept
        : budget_(other.budget_), bytes_(std::exchange(other.bytes_, 0)) {}
    Charge& operator=(Charge&& other) noexcept {
        release();
        budget_ = other.budget_;
        bytes_ = std::exchange(other.bytes_, 0);
        return *this;
    }
    ~Charge() { release(); }

    /// False: the budget has no room; what was taken before stays.
    bool grow_to(std::size_t bytes, std::size_t spare = 0) {
        if (bytes <= bytes_) {
            return true;
        }
        if (!budget_->try_take(bytes - bytes_, spare)) {
            return false;
        }
        bytes_ = bytes;
        return true;
    }

    /// Takes over what `other` (of the same budget) holds.
    void absorb(Charge& other) {
        if (other.bytes_ != 0) {
            budget_ = other.budget_;
            bytes_ += std::exchange(other.bytes_, 0);
        }
    }

    void release() {
        if (bytes_ != 0) {
            budget_->give_back(std::exchange(bytes_, 0));
        }
    }

private:
    ByteBudget* budget_ = nullptr;
    std::size_t bytes_ = 0;
};

}  // namespace helios::http
