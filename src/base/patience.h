#pragma once
/// How long whoever asked waits for what a thread works on: until when, and whether they are still
/// there. What may take long looks at it, so that nobody works for somebody who has gone.

#include <atomic>

#include "base/result.h"
#include "base/time.h"

namespace helios {

/// Of one question.
struct Patience {
    Duration until = Duration::max();  ///< by the monotonic clock
    /// They have ended the connection, or the server stops. nullptr: nobody can say.
    const std::atomic<bool>* gone = nullptr;

    bool is_gone() const { return gone != nullptr && gone->load(std::memory_order_relaxed); }
};

/// As long as it lives, this thread works for somebody of that patience. Scopes may be nested: the
/// inner one counts. On the stack only; what `gone` points to outlives it.
class PatienceScope {
public:
    explicit PatienceScope(const Patience& patience);
    ~PatienceScope();
    PatienceScope(const PatienceScope&) = delete;
    PatienceScope& operator=(const PatienceScope&) = delete;

private:
    Patience before_;
};

/// Of whom this thread works for now; endless where no scope is.
const Patience& current_patience();

/// stopping: what is said of work that ended because they are gone.
std::unexpected<Error> given_up();

}  // namespace helios
