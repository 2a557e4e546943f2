#pragma once
/// Where closed cases wait for later facts, whole, until they have outlived their flow's amend_for;
/// after that only the number of the last instance is remembered, so that instance n + 1 never
/// takes an old verdict's id.
///
/// Two stores: in memory (the server; bounded by what closes within amend_for, plus a few bytes per
/// key ever seen) and spilled to a temporary directory (spill.h: `helios reconcile`,
/// bounded by open cases).

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/time.h"

namespace helios::reconcile {

struct ClosedCase {
    std::uint32_t instance = 0;
    Instant amend_until;  ///< a fact with log time ≤ this amends, as far as was known when it
                          ///< closed; empty bytes: too late anyway
    std::string bytes;    ///< Case::encode()
};

/// Keeps what it is given; knows nothing of cases. One thread.
class ClosedCases {
public:
    virtual ~ClosedCases() = default;
    virtual std::optional<ClosedCase> find(const std::string& id) = 0;
    virtual void put(const std::string& id, ClosedCase closed) = 0;
    /// Time has come to `now`: what can't be amended any more may shrink to its instance number.
    virtual void expire(Instant now) = 0;
    virtual std::size_t size() const = 0;
};

class MemoryClosedCases final : public ClosedCases {
public:
    std::optional<ClosedCase> find(const std::string& id) override;
    void put(const std::string& id, ClosedCase closed) override;
    void expire(Instant now) override;
    std::size_t size() const override { return cases_.size(); }

private:
    std::unordered_map<std::string, ClosedCase>
        cases_;  // looked up only, never walked: its order shows nowhere
    std::set<std::pair<Instant, const std::string*>> expiries_;
};

}  // namespace helios::reconcile
