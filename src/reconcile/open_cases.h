#pragma once
/// The open cases of an engine by their id. A flat table of hashes: with a million of them nearly
/// every look at a case is a miss of the cache, so there is one for the table and one for the case.

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "reconcile/case_state.h"

namespace helios::reconcile {

struct OpenCase {
    std::string id;  ///< model::case_log_key
    Case state;
    std::uint32_t change = 0;  ///< its place among those that have changed, from 1; 0: it has not
    bool kept = false;         ///< it has an entry in the state that is kept
};

/// One thread. A case stays where it is until it is removed. There is no walk over all of them: no
/// output may depend on an order that nobody has decided.
class OpenCases {
public:
    OpenCase* find(std::string_view id) const;  ///< nullptr: not there
    OpenCase& add(std::string id, Case state);  ///< it is not there yet
    void remove(OpenCase& one);                 ///< it is gone then
    std::size_t size() const { return size_; }
    /// Room for so many without moving anything.
    void reserve(std::size_t count);

private:
    struct Slot {
        std::uint64_t hash = 0;
        std::unique_ptr<OpenCase> one;
    };

    std::size_t after(std::size_t slot) const { return (slot + 1) & (slots_.size() - 1); }
    /// Where it is, or where it would come to stand. There is a free slot.
    std::size_t slot_of(std::string_view id, std::uint64_t hash) const;
    void resize(std::size_t slots);

    std::vector<Slot> slots_;  ///< none, or a power of two of them; at most half are taken
    std::size_t size_ = 0;
};

}  // namespace helios::reconcile
