#pragma once
/// Where closed cases wait for later facts, whole, until they have outlived their flow's amend_for;
/// after that only the number of the last instance is remembered, so that instance n + 1 never
/// takes an old verdict's id.
///
/// Two stores: in memory (work on single cases), and kept with the engine's state on disk (the
/// server).

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>

#include "base/result.h"
#include "base/time.h"

namespace helios::log {
class State;
}

namespace helios::reconcile {

struct Case;

struct ClosedCase {
    std::uint32_t instance = 0;
    Instant amend_until;  ///< a fact with log time ≤ this amends, as far as was known when it
                          ///< closed; bytes dropped: this, or anything less
    std::string bytes;    ///< Case::encode(); empty: dropped, because the engine won't ask for it
};

/// Keeps what it is given. One thread.
class ClosedCases {
public:
    virtual ~ClosedCases() = default;
    virtual std::optional<ClosedCase> find(const std::string& id) = 0;
    virtual void put(const std::string& id, ClosedCase closed) = 0;
    /// The same of a case that nobody needs any more. Who may never be asked for it can leave it as
    /// it is.
    virtual void put_case(const std::string& id, Instant amend_until, Case&& closed);
    /// The engine won't ask for the bytes of those with amend_until < `before` any more.
    virtual void expire(Instant before) = 0;

    /// The first thing that could not be read or kept. The engine is pure and goes on as if no such
    /// case had closed: whoever drives it asks after each round, drops what came out of it, and
    /// begins again from before the damage.
    const Status& health() const { return health_; }
    void damaged(Error why) {
        if (health_) {
            health_ = std::unexpected(std::move(why));
        }
    }

private:
    Status health_;
};

class MemoryClosedCases final : public ClosedCases {
public:
    std::optional<ClosedCase> find(const std::string& id) override;
    void put(const std::string& id, ClosedCase closed) override;
    void expire(Instant before) override;

private:
    std::unordered_map<std::string, ClosedCase>
        cases_;  // looked up only, never walked: its order shows nowhere
    std::set<std::pair<Instant, const std::string*>> expiries_;
};

/// In the engine's state: kept with the next checkpoint, shrunk in the background (shrink_closed()
/// in engine_state.h). A value that is damaged is no case, and health() says so.
class StoredClosedCases final : public ClosedCases {
public:
    /// `state` outlives it.
    explicit StoredClosedCases(log::State& state) : state_(state) {}
    std::optional<ClosedCase> find(const std::string& id) override;
    void put(const std::string& id, ClosedCase closed) override;
    void expire(Instant) override {}

private:
    log::State& state_;
};

}  // namespace helios::reconcile
