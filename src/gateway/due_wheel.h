#pragma once
/// Who is to be told something at a time, unless they are taken out before: nearly all are. Adding
/// and taking out cost the same however many there are. Pure: whoever asks says what time it is.

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>

#include "base/time.h"

namespace helios::gateway {

/// What can be in one wheel; it takes itself out of none, and stays where it is while it is in one.
class DueLink {
public:
    DueLink() = default;
    DueLink(const DueLink&) = delete;
    DueLink& operator=(const DueLink&) = delete;

private:
    template <class T>
    friend class DueWheel;
    void take_out() {
        before_->after_ = after_;
        after_->before_ = before_;
        before_ = after_ = this;
    }
    void put_before(DueLink& other) {
        before_ = other.before_;
        after_ = &other;
        before_->after_ = other.before_ = this;
    }

    DueLink* before_ = this;
    DueLink* after_ = this;
    Duration due_{};
};

/// T is a DueLink. Not thread-safe.
template <class T>
class DueWheel {
public:
    /// It is in no wheel.
    void add(T& what, Duration due) {
        DueLink& link = what;
        link.due_ = due;
        link.put_before(slots_[slot_of(std::max(turn_of(due), turn_))]);
    }
    /// Nothing if it is in none.
    void remove(T& what) { static_cast<DueLink&>(what).take_out(); }

    /// Takes out whoever is due by now, at most `most`, and calls `take` with each. False: there
    /// may be more.
    template <class Take>
    bool take_due(Duration now, std::size_t most, const Take& take) {
        const std::int64_t end = turn_of(now);
        turn_ = std::max(turn_, end - static_cast<std::int64_t>(slots_.size()) + 1);
        for (; turn_ <= end; ++turn_) {
            DueLink& slot = slots_[slot_of(turn_)];
            for (DueLink* link = slot.after_; link != &slot;) {
                DueLink* const next = link->after_;
                if (link->due_ <= now) {
                    if (most-- == 0) {
                        return false;
                    }
                    link->take_out();
                    take(static_cast<T&>(*link));
                }
                link = next;
            }
        }
        turn_ = std::min(turn_, end);  // its slot may get more that are due in it
        return true;
    }

private:
    static constexpr Duration grain = std::chrono::milliseconds(125);

    static std::int64_t turn_of(Duration at) { return at / grain; }
    std::size_t slot_of(std::int64_t turn) const {
        return static_cast<std::size_t>(turn) % slots_.size();
    }

    /// Half a minute; who is due later stays in the slot for another round.
    std::array<DueLink, 256> slots_;
    std::int64_t turn_ = 0;  ///< the first whose slot may have somebody who is due
};

}  // namespace helios::gateway
