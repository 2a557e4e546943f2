#pragma once
/// A kept item on its way in again, as it came or edited by an operator. Pure.
///
/// It goes through the same door as at first: adapter, known source, catalogue, limits,
/// deduplication (submission.h). What differs: an operator answers for it, so no sender's
/// credential is asked for; and what fails is no new item, but one more attempt at the old one.

#include <array>
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"
#include "base/result.h"
#include "http/message.h"
#include "model/quarantined.h"

namespace helios::gateway {

/// What is given anew.
struct Edits {
    /// Of an event line, "payload", "eventType", "id", "time", "source" → JSON. null: without it.
    std::map<std::string, std::string> members;
    /// In place of the item's, for its endpoint's adapter: it says its own scope and, where events
    /// name it, its own source.
    std::optional<std::string> body;

    bool any() const { return body || !members.empty(); }
    std::vector<std::string> names() const;  ///< sorted
};

/// The members that edits may have, beside "body".
inline constexpr std::array<std::string_view, 5> editable_members{"eventType", "id", "payload",
                                                                  "source", "time"};

/// Empty: none. invalid: no object of such members.
Result<Edits> parse_edits(std::string_view json);

struct Resubmission {
    model::Quarantined item;
    Edits edits;
    std::uint32_t attempt = 1;
    std::string redrive;  ///< of which it is a part; empty: by itself
    bool dry = false;     ///< it is only asked what would come of it: nothing is written
};

/// The request that brought it, as far as it is kept, with the body that is to be adapted.
http::Request request_of(const Resubmission& again);

/// The event line that an item becomes by the members that are given anew; the rest is as its
/// adapter read it, even where that was too little for an event.
std::string edited_line(const Resubmission& again, const adapters::Adapted& adapted);
/// The scope that its adapter read: it stays.
std::string scope_of(const adapters::Adapted& adapted);

}  // namespace helios::gateway
