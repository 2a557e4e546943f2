#pragma once
/// Bytes received and not yet parsed, contiguous. Knows no socket and no protocol.

#include <algorithm>
#include <cstddef>
#include <cstring>
#include <memory>
#include <span>
#include <string_view>

namespace helios::http {

/// Not thread-safe. Views stay readable after consume(), until the next prepare().
class Input {
public:
    static constexpr std::size_t capacity_small = 8u << 10;   ///< of a connection
    static constexpr std::size_t capacity_large = 64u << 10;  ///< while a large body comes in

    std::string_view view() const { return {data_.get() + begin_, end_ - begin_}; }
    bool empty() const { return begin_ == end_; }

    void consume(std::size_t bytes) {
        begin_ += bytes;
        if (begin_ == end_) {
            begin_ = end_ = 0;
        }
    }

    /// Room for at least `least` bytes more, in a buffer of at least `capacity`.
    std::span<char> prepare(std::size_t least, std::size_t capacity) {
        if (capacity_ < capacity || capacity_ - end_ < least) {
            make_room(least, capacity);
        }
        return {data_.get() + end_, capacity_ - end_};
    }
    void commit(std::size_t bytes) { end_ += bytes; }

    /// Gives a large buffer back when nothing is in it.
    void shrink() {
        if (empty() && capacity_ > capacity_small) {
            data_.reset();
            capacity_ = 0;
        }
    }

private:
    void make_room(std::size_t least, std::size_t capacity) {
        const std::size_t held = end_ - begin_;
        const std::size_t needed = std::max(capacity, held + least);
        if (capacity_ < needed) {
            const std::size_t grown = std::max(needed, std::min(capacity_ * 2, capacity_large));
            std::unique_ptr<char[]> moved(new char[grown]);
            if (held != 0) {
                std::memcpy(moved.get(), data_.get() + begin_, held);
            }
            data_ = std::move(moved);
            capacity_ = grown;
        } else if (held != 0) {
            std::memmove(data_.get(), data_.get() + begin_, held);
        }
        begin_ = 0;
        end_ = held;
    }

    std::unique_ptr<char[]> data_;
    std::size_t capacity_ = 0;
    std::size_t begin_ = 0;
    std::size_t end_ = 0;
};

}  // namespace helios::http
