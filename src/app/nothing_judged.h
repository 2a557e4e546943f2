#pragma once
/// Why an offline run judged nothing: what its flows look for, and what the first events had
/// instead.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "model/event.h"
#include "reconcile/offline.h"

namespace helios::app {

/// What the first events looked like: each source and type once, with the names that its payload
/// has.
class FirstEvents {
public:
    void see(const model::Event& event, json::Value payload);
    /// What came after these.
    void add(const FirstEvents& later);

    struct Kind {
        std::string source;
        std::string type;
        std::vector<std::string> members;  ///< "id", "order.id": two levels, the first dozen
    };
    const std::vector<Kind>& kinds() const { return kinds_; }

private:
    bool has_room_for(std::string_view source, std::string_view type) const;

    std::vector<Kind> kinds_;
};

/// What was read beside events.
struct LinesRead {
    std::uint64_t all = 0;  ///< not blank
    std::uint64_t control = 0;
    std::uint64_t rejected = 0;
};

/// For standard error, several lines; empty if a case was judged and every event has its key.
std::string nothing_judged(const reconcile::OfflineSummary& summary, const LinesRead& lines,
                           const FirstEvents& first);

}  // namespace helios::app
