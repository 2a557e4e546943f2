#pragma once
/// Which partitions a stage works on, of those that its room reads. Who decides it (one machine:
/// nobody, it is all of them; a cluster: its members) is no matter of the log's: two that believe
/// themselves assigned the same partition are kept apart by the group's position, which only one of
/// them can move.

#include <optional>
#include <set>
#include <utility>

#include "base/position.h"

namespace helios::log {

class Assignment {
public:
    /// All that the room reads.
    Assignment() = default;
    /// These alone; may be none.
    explicit Assignment(std::set<Partition> partitions) : only_(std::move(partitions)) {}

    bool includes(const Partition& id) const { return !only_ || only_->contains(id); }

    friend bool operator==(const Assignment&, const Assignment&) = default;

private:
    std::optional<std::set<Partition>> only_;
};

}  // namespace helios::log
