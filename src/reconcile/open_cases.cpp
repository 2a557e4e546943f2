#include "reconcile/open_cases.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/hash.h"

namespace helios::reconcile {
namespace {

constexpr std::size_t slots_min = 8;

}  // namespace

std::size_t OpenCases::slot_of(std::string_view id, std::uint64_t hash) const {
    std::size_t slot = hash & (slots_.size() - 1);
    while (slots_[slot].one && (slots_[slot].hash != hash || slots_[slot].one->id != id)) {
        slot = after(slot);
    }
    return slot;
}

OpenCase* OpenCases::find(std::string_view id) const {
    return slots_.empty() ? nullptr : slots_[slot_of(id, xxh3_64(id))].one.get();
}

OpenCase& OpenCases::add(std::string id, Case state) {
    reserve(size_ + 1);
    const std::uint64_t hash = xxh3_64(id);
    Slot& slot = slots_[slot_of(id, hash)];
    slot.hash = hash;
    slot.one = std::make_unique<OpenCase>(std::move(id), std::move(state));
    ++size_;
    return *slot.one;
}

void OpenCases::remove(OpenCase& one) {
    std::size_t hole = slot_of(one.id, xxh3_64(one.id));
    slots_[hole].one.reset();
    --size_;
    // What stands behind it moves up if its way from where it belongs leads over the hole.
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t slot = after(hole); slots_[slot].one; slot = after(slot)) {
        if (((slot - slots_[slot].hash) & mask) >= ((slot - hole) & mask)) {
            slots_[hole] = std::move(slots_[slot]);
            hole = slot;
        }
    }
}

void OpenCases::reserve(std::size_t count) {
    if (count * 2 > slots_.size()) {
        resize(std::max(slots_min, std::bit_ceil(count * 2)));
    }
}

void OpenCases::resize(std::size_t slots) {
    std::vector<Slot> old = std::exchange(slots_, std::vector<Slot>(slots));
    for (Slot& slot : old) {
        if (slot.one) {
            std::size_t to = slot.hash & (slots - 1);
            while (slots_[to].one) {
                to = after(to);
            }
            slots_[to] = std::move(slot);
        }
    }
}

}  // namespace helios::reconcile
