#pragma once
/// Reading a sender's envelope: members by name, with every complaint collected, so that a rejection names all that is wrong at
/// once.
///
/// Shared by the adapters; knows JSON and the rules of contracts.md for times and duplicate keys, but no sender.

#include <cstddef>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "adapters/adapter.h"
#include "base/json.h"
#include "base/result.h"
#include "base/time.h"

namespace helios::adapters {

/// Bounds of envelope texts, in bytes. No real sender comes near them.
inline constexpr std::size_t id_bytes_max = 1024;
inline constexpr std::size_t type_bytes_max = 512;
inline constexpr std::size_t scope_bytes_max = 2048;

/// One parse for nearly every body. A body nested deeper than json::Limits allows is parsed once more without that limit, so that
/// the item which is too deep can be told from its neighbours and be quarantined whole (`too_deep`) instead of refused.
struct ParsedBody {
    json::Document document;
    bool deep = false;  ///< some value is nested deeper than json::Limits allows: ask too_deep() of each item
};
Result<ParsedBody> parse_body(std::string_view bytes);

/// Is this value nested deeper than json::Limits allows? Linear in its bytes.
bool too_deep(json::Value value);

struct EnvelopeTime {
    std::optional<Instant> at;
    bool had_zone = true;
    std::string as_sent;  ///< JSON of what could not be taken; else empty

    void put_into(model::Event& event) const;
};

/// The members of one envelope object. Complaints accumulate; the first one's code becomes the rejection's reason.
class Envelope {
public:
    /// Complains at once if a member name occurs more than once.
    explicit Envelope(json::Value object, std::string_view prefix = {});

    json::Value find(std::string_view name) const { return object_.find(name); }
    bool has(std::string_view name) const { return find(name).present(); }

    /// A member's text. Absent, null and empty are the same: empty. Another type, control characters or more than `bytes_max`
    /// are complaints.
    std::string_view text(std::string_view name, std::size_t bytes_max = scope_bytes_max);
    /// As text, but a number's text counts too.
    std::string_view text_or_number(std::string_view name, std::size_t bytes_max);
    /// As text; absent is a complaint.
    std::string_view required_text(std::string_view name, std::size_t bytes_max);
    /// One value under two spellings, which must agree where both are there.
    std::string_view text_of_either(std::string_view name, std::string_view other, std::size_t bytes_max = scope_bytes_max);

    /// What the sender claims as its time. Never a complaint: what can't be taken (claimed_time.h) is kept as sent.
    EnvelopeTime time(std::string_view name) const;
    /// One time under two spellings; if they differ, neither is taken.
    EnvelopeTime time_of_either(std::string_view name, std::string_view other) const;
    /// A time that Helios itself wrote, for example in an export: if it can't be taken, that is a complaint (`bad_time`).
    std::optional<Instant> own_time(std::string_view name);
    /// An object; absent or another type is a complaint.
    json::Value required_object(std::string_view name);

    void complain(std::string_view reason, std::string_view name, std::string_view what);
    bool good() const { return errors_.empty(); }

    /// The rejection that the complaints amount to; `detail` is the first of them.
    Rejection rejection(std::string_view raw) &&;

private:
    std::string_view checked(std::string_view name, std::string_view text, std::size_t bytes_max);

    json::Value object_;
    std::string prefix_;
    std::string reason_;
    std::vector<std::string> errors_;
};

/// A whole item that could not be read at all.
Rejection rejection(std::string_view reason, std::string detail, std::string_view raw);
/// The one for a payload nested too deep.
Rejection too_deep_rejection(std::string_view raw);

/// "Contoso.Orders.OrderPlaced" → "OrderPlaced"; a name without a dot, or ending in one, stays as it is.
std::string_view short_type(std::string_view qualified);

/// The last step of every adapter: the event with its payload's exact bytes, and its content identity if it came without an id;
/// or, if the envelope complained, the rejection with what could be read all the same. Source, type, time, scope and payload
/// stand.
Item finish(Envelope envelope, AdaptedEvent event, std::string_view raw);

}  // namespace helios::adapters
