#pragma once
/// The text form of a flow's test: one step per line ("Testing a flow" in docs/flows.md). Knows the
/// words and their shape, so that a script with a slip of the pen is refused before anything runs;
/// not what the words do.

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "base/time.h"

namespace helios::app {

struct CaseStep {
    int line = 0;
    std::string verb;                            ///< "at", "advance", "expect", …
    std::vector<std::string> words;              ///< what the verb needs, in its order
    std::map<std::string, std::string> options;  ///< the name=value words after them
    std::string body;  ///< JSON of an event, or the lines of an inline flow
};

/// A script is a list of cases; each `case NAME` begins afresh.
struct ScriptedCase {
    std::string name;
    int line = 0;
    std::vector<CaseStep> steps;
    bool broken = false;  ///< a step of it can't be understood: it must not run
};

/// Words of cases that are not broken are well formed: times and durations can be read, payloads
/// are JSON objects, options are known to their verb.
struct CaseScript {
    std::vector<ScriptedCase> cases;
    std::vector<Error> errors;  ///< every complaint, "file:line: what"
};
CaseScript read_case_script(std::string_view text, std::string_view file);

/// `time=sent:…`: what follows is the envelope's time as its sender wrote it, a number or a text.
inline constexpr std::string_view time_as_sent = "sent:";

/// `deadline=never`: some leg has none.
inline constexpr std::string_view no_deadline = "never";

/// "12:00:02[.5]" on the day all scripts live in, or a whole RFC 3339 time.
Result<Instant> parse_case_time(std::string_view text);
/// The shortest text that parse_case_time reads back.
std::string format_case_time(Instant t);

}  // namespace helios::app
