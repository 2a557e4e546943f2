#pragma once
/// The catalogue of event types: topic, key paths, required fields, identity. One YAML document
/// (src/model/catalogue.yaml is the shipped one), the same rules for the server and for offline
/// work.

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/claimed_time.h"
#include "base/json.h"
#include "base/result.h"
#include "base/time.h"
#include "model/event.h"
#include "model/path.h"

namespace helios::model {

struct RequiredField {
    std::string name;  ///< "orderId", as a person would say it
    std::vector<Path> paths;
    bool reject = true;  ///< false: warn
};

/// Where a payload says its time, and what a number there counts.
struct TimePath {
    Path path;
    std::optional<EpochUnit> unit;
};

struct EventType {
    std::string name;
    TopicId topic{};  ///< one of event_topics
    std::vector<Path> key_paths;
    std::vector<TimePath> time_paths;  ///< the payload's own time, when the envelope has none
    std::vector<RequiredField> required;
};

/// What the rules say of one event. Not an error: a value that decides where the event goes.
struct Judgement {
    bool accepted = true;
    std::string reason;  ///< code when rejected: "missing_field", "duplicate_key", "bad_key"
    std::vector<std::string> errors;  ///< one per broken reject rule
    std::vector<std::string> warnings;
    std::string key;  ///< text as written; a JSON number's text is its key; ≤ 1 KiB, no NUL; empty:
                      ///< none readable
    TopicId topic{};  ///< where it goes when accepted
    std::string
        customer;  ///< whose it is, as the type's rule `customerId` reads it; empty: none readable
    std::optional<ParsedTime>
        payload_time;  ///< the first of the type's time paths that could be taken
};

/// Immutable, thread-safe.
class Catalogue {
public:
    /// invalid: "file:line:column: what; hint"; `errors`, if given, takes what else is wrong: of
    /// each event type the first complaint.
    static Result<Catalogue> parse(std::string_view yaml, std::string_view file,
                                   std::vector<Error>* errors = nullptr);
    /// The shipped one, compiled in.
    static const Catalogue& shipped();

    /// The declared type, or the entry for every other type (topic `other`, needs nothing, key
    /// paths of the default).
    const EventType& type_of(std::string_view name) const;
    bool knows(std::string_view name) const;
    std::vector<std::string> type_names() const;  ///< sorted

    /// Applies the rules to a normalised event; fills nothing in (take_judgement does). Empty
    /// strings and nulls count as absent.
    Judgement judge(const Event& event, json::Value payload) const;

private:
    std::map<std::string, EventType, std::less<>> types_;
    EventType other_;
};

/// Puts into its event what an accepted judgement says: the key, the payload's time if the event
/// has none, the warnings; one more warning if the time that counts came without a zone.
void take_judgement(Event& event, const Judgement& judgement);

}  // namespace helios::model
