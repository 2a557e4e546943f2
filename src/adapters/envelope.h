#pragma once
/// Reading a sender's envelope: members by name, with every complaint collected, so that a
/// rejection names all that is wrong at once.
///
/// Shared by the adapters; knows JSON and the rules for times (docs/flows.md) and duplicate keys,
/// but no sender.

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

/// The one reading of JSON at every door: of a body, a line, and what stands in a message as text
/// or base64. A byte order mark before it is skipped. An error is a broken structure only; what is
/// wrong inside a value stays in the document as json::Flaw, and an Envelope around it complains,
/// so that one item's fault is not its neighbours'. One parse for nearly everything; a second,
/// lenient one where the first finds something. `outer_levels`: of the envelope that is not in
/// these bytes, so that a payload may be as deep at one door as at another.
Result<json::Document> parse_body(std::string_view bytes, std::uint32_t outer_levels = 0);

/// One thing that is wrong with an item: what Envelope::complain takes.
struct Complaint {
    std::string_view reason;
    std::string name;
    std::string_view what;
};

struct EnvelopeTime {
    std::optional<Instant> at;
    bool had_zone = true;
    std::string as_sent;  ///< JSON of what could not be taken; else empty

    void put_into(model::Event& event) const;
};

/// What is claimed as a time by `value`. Never a complaint: what can't be taken (claimed_time.h) is
/// kept as sent.
EnvelopeTime time_in(json::Value value);

/// The members of one envelope object. Complaints accumulate; the first one's code becomes the
/// rejection's reason.
class Envelope {
public:
    /// Complains at once if a member name occurs more than once, and of a flaw anywhere inside (one
    /// with a prefix lies inside another, which did).
    explicit Envelope(json::Value object, std::string_view prefix = {});

    json::Value find(std::string_view name) const { return object_.find(name); }
    bool has(std::string_view name) const { return find(name).present(); }

    /// A member's text. Absent, null and empty are the same: empty. Another type, control
    /// characters or more than `bytes_max` are complaints.
    std::string_view text(std::string_view name, std::size_t bytes_max = scope_bytes_max);
    /// The id: text, or a number as written.
    std::string_view id(std::initializer_list<std::string_view> names) {
        return text_of_any(names, id_bytes_max, true);
    }
    /// One value under several spellings: the first that is not empty. Where more are there, they
    /// must agree.
    std::string_view text_of_any(std::initializer_list<std::string_view> names,
                                 std::size_t bytes_max, bool numbers = false);
    /// As that; absent is a complaint, of the first spelling.
    std::string_view required_text(std::initializer_list<std::string_view> names,
                                   std::size_t bytes_max);

    /// What the sender claims as its time, as time_in.
    EnvelopeTime time(std::string_view name) const { return time_in(find(name)); }
    /// One time under two spellings; if they differ, neither is taken.
    EnvelopeTime time_of_either(std::string_view name, std::string_view other) const;
    /// A time that Helios itself wrote, for example in an export: if it can't be taken, that is a
    /// complaint (`bad_time`).
    std::optional<Instant> own_time(std::string_view name);
    /// An object; absent, null and "" are the same: absent. Another type is a complaint.
    json::Value object(std::string_view name);
    /// As that; absent is a complaint.
    json::Value required_object(std::string_view name);

    /// An object that stands in a member as base64 of JSON, read into `documents`. Absent after a
    /// complaint, of `name`.
    json::Value decoded_object(std::string_view name, std::vector<json::Document>& documents);
    /// What stands in that member as base64; nullopt after a complaint.
    std::optional<std::string> decoded(std::string_view name);
    /// An object in `bytes`, which came as the content of `name`. Absent after a complaint.
    json::Value object_in(std::string_view bytes, std::string_view name,
                          std::vector<json::Document>& documents);

    void complain(std::string_view reason, std::string_view name, std::string_view what);
    void complain(const std::vector<Complaint>& complaints);
    /// Of the first flaw inside `value`, which is shown as `name`; false if there is none.
    bool complain_of_flaw(std::string_view name, json::Value value);
    /// The complaints of another envelope of the same item come first.
    void take_over(const Envelope& outer);
    bool good() const { return errors_.empty(); }
    std::size_t complaints() const { return errors_.size(); }

    /// The rejection that the complaints amount to; `detail` is the first of them.
    Rejection rejection(std::string_view raw) &&;

    /// `text`, or empty after a complaint: control characters, too long.
    std::string_view checked(std::string_view name, std::string_view text, std::size_t bytes_max);

private:
    json::Value object_;
    std::string prefix_;
    std::string reason_;
    std::vector<std::string> errors_;
};

/// Are there more items than `bytes` could hold events? An event line has 38 bytes at least: who
/// sends a million numbers in an array gets one answer, not a million items in quarantine. (No
/// array of events is refused for its length.)
std::optional<NotThisProtocol> too_many(std::size_t items, std::size_t bytes);

/// A whole item that could not be read at all.
Rejection rejection(std::string_view reason, std::string detail, std::string_view raw);

/// A request of a cloud that is not of its protocol: `reason` is why it waits, where it is kept.
NotThisProtocol not_this_protocol(std::string_view reason, std::string what, std::string hint,
                                  std::string_view body);

/// A member of metadata, where there is something to say.
void field_if(json::Writer& out, std::string_view name, std::string_view text);

/// "Contoso.Orders.OrderPlaced" → "OrderPlaced", also with a version behind it ("….v2"); a name
/// without a dot, or ending in one, stays as it is, and so does "helios.test".
std::string_view short_type(std::string_view qualified);

/// The last step of every adapter: the event with its payload's exact bytes, and its content
/// identity if it came without an id; or, if the envelope complained, the rejection with what could
/// be read all the same. Source, type, time, scope and payload stand.
Item finish(Envelope&& envelope, AdaptedEvent&& event, std::string_view raw);

}  // namespace helios::adapters
