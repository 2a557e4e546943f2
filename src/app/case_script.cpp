#include "app/case_script.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/ascii.h"
#include "base/json.h"
#include "base/yaml.h"
#include "model/verdict.h"

namespace helios::app {
namespace {

constexpr std::string_view the_day = "2026-01-05T";

const std::vector<std::string_view> verbs{"case",   "at",      "advance", "sleep", "stand",
                                          "refuse", "jump",    "flow",    "hold",  "release",
                                          "engine", "restart", "expect"};
const std::vector<std::string_view> event_options{"id", "time"};
const std::vector<std::string_view> refuse_options{"source"};
const std::vector<std::string_view> status_options{"missing", "instance", "revision",
                                                   "version", "at-risk",  "deadline",
                                                   "decided", "findings", "final"};
const std::vector<std::string_view> finding_options{
    "leg", "check", "expected", "actual", "tolerance", "unit", "severity", "final", "detail"};

/// Blank-separated words; quotes join: detail="a b".
Result<std::vector<std::string>> split(std::string_view s) {
    std::vector<std::string> out;
    std::string word;
    bool quoted = false, any = false;
    for (const char c : s) {
        if (c == '"') {
            quoted = !quoted;
            any = true;
        } else if (!quoted && (c == ' ' || c == '\t')) {
            if (any) {
                out.push_back(std::move(word));
            }
            word.clear();
            any = false;
        } else {
            word += c;
            any = true;
        }
    }
    if (quoted) {
        return fail(ErrorKind::invalid, "a quotation mark without its other half");
    }
    if (any) {
        out.push_back(std::move(word));
    }
    return out;
}

bool is_number(std::string_view s) {
    return !s.empty() && s.size() < 10 &&
           s.find_first_not_of("0123456789") == std::string_view::npos;
}

/// The first `count` words stay; the others are name=value, of names that `known` holds (empty: any
/// name).
Status take_options(CaseStep& step, std::size_t count, std::string_view usage,
                    const std::vector<std::string_view>* known) {
    if (step.words.size() < count) {
        return fail(ErrorKind::invalid, fmt::format("`{}` needs more words", step.verb),
                    std::string(usage));
    }
    for (std::size_t i = count; i < step.words.size(); ++i) {
        const std::string& word = step.words[i];
        const auto equals = word.find('=');
        const auto name = word.substr(0, equals);
        if (equals == std::string::npos || known == nullptr) {
            return fail(ErrorKind::invalid, fmt::format("\"{}\" says nothing here", word),
                        std::string(usage));
        }
        if (!known->empty() && std::find(known->begin(), known->end(), name) == known->end()) {
            const auto near = yaml::nearest(name, *known);
            return fail(ErrorKind::invalid, fmt::format("unknown \"{}=\"", name),
                        near.empty() ? fmt::format("{}", fmt::join(*known, "=, ")) + "="
                                     : fmt::format("did you mean {}=?", near));
        }
        if (!step.options.emplace(name, word.substr(equals + 1)).second) {
            return fail(ErrorKind::invalid, fmt::format("\"{}=\" stands twice", name));
        }
    }
    step.words.resize(count);
    return {};
}

/// The option is a time, or the one word that stands for having none.
Status check_time(const CaseStep& step, const std::string& name, std::string_view none) {
    const auto found = step.options.find(name);
    if (found != step.options.end() && found->second != none) {
        HELIOS_TRY(parse_case_time(found->second));
    }
    return {};
}

Status check_event(CaseStep& step) {
    HELIOS_TRY(
        take_options(step, 3, "at TIME SOURCE TYPE [id=…] [time=…] {payload}", &event_options));
    HELIOS_TRY(parse_case_time(step.words[0]));
    if (const auto time = step.options.find("time");
        time == step.options.end() || !time->second.starts_with(time_as_sent)) {
        HELIOS_TRY(check_time(step, "time", "none"));
    }
    if (step.body.empty()) {
        return fail(ErrorKind::invalid, "an event without a payload",
                    "at TIME SOURCE TYPE [id=…] [time=…] {payload}");
    }
    HELIOS_TRY_ASSIGN(const auto payload, json::Document::parse(step.body));
    if (!payload.root().is_object()) {
        return fail(ErrorKind::invalid, "the payload is no JSON object");
    }
    return {};
}

Status check_expectation(CaseStep& step) {
    constexpr std::string_view usage =
        "expect KEY STATUS …, expect KEY finding KIND …, expect KEY no-finding KIND …, expect KEY "
        "revisions N, expect KEY "
        "nothing, expect quarantined N";
    if (step.words.size() < 2) {
        return fail(ErrorKind::invalid, "expect what?", std::string(usage));
    }
    const std::string what = step.words[1];
    if (what == "nothing" || (step.words[0] == "quarantined" && is_number(what))) {
        return take_options(step, 2, usage, nullptr);
    }
    if (what == "revisions") {
        HELIOS_TRY(take_options(step, 3, usage, nullptr));
        return is_number(step.words[2])
                   ? Status{}
                   : fail(ErrorKind::invalid, fmt::format("\"{}\" is no count", step.words[2]));
    }
    if (what == "finding" || what == "no-finding") {
        HELIOS_TRY(take_options(step, 3, usage, &finding_options));
        HELIOS_TRY(model::parse_finding_kind(step.words[2]));
        return {};
    }
    if (!model::parse_status(what)) {
        return fail(
            ErrorKind::invalid, fmt::format("\"{}\" is no status", what),
            "pending, matched, partial, mismatched; or finding, no-finding, revisions, nothing");
    }
    HELIOS_TRY(take_options(step, 2, usage, &status_options));
    HELIOS_TRY(check_time(step, "deadline", no_deadline));
    return check_time(step, "decided", "");
}

Status check_duration(CaseStep& step) {
    HELIOS_TRY(take_options(step, 1,
                            "advance 60s, sleep 2h, stand 12s, refuse 30s [source=gcp], jump -5h",
                            step.verb == "refuse" ? &refuse_options : nullptr));
    const bool back = step.verb == "jump" && step.words[0].starts_with('-');
    HELIOS_TRY(parse_duration(std::string_view(step.words[0]).substr(back ? 1 : 0)));
    return {};
}

Status check(CaseStep& step) {
    static const std::vector<std::string_view> any_name;
    if (step.verb == "at") {
        return check_event(step);
    }
    if (step.verb == "expect") {
        return check_expectation(step);
    }
    if (step.verb == "advance" || step.verb == "sleep" || step.verb == "stand" ||
        step.verb == "refuse" || step.verb == "jump") {
        return check_duration(step);
    }
    if (step.verb == "flow") {
        return take_options(
            step, 1,
            "flow order [name=value …], flow FILE.yaml [name=value …], or flow inline … end",
            &any_name);
    }
    if (step.verb == "hold" || step.verb == "release") {
        HELIOS_TRY(take_options(step, 1, "route or append", nullptr));
        const bool known = step.words[0] == "route" || step.words[0] == "append";
        return known ? Status{}
                     : fail(ErrorKind::invalid, fmt::format("{} what?", step.verb),
                            "route or append");
    }
    if (step.verb == "engine") {
        return take_options(step, 0, "nothing stands behind it", nullptr);
    }
    if (step.verb == "restart") {
        if (step.words.empty()) {
            return {};
        }
        HELIOS_TRY(take_options(step, 2, "restart, or restart after 1h", nullptr));
        HELIOS_TRY(parse_duration(step.words[1]));
        return step.words[0] == "after"
                   ? Status{}
                   : fail(ErrorKind::invalid, fmt::format("restart {}?", step.words[0]),
                          "restart after 1h");
    }
    const auto near = yaml::nearest(step.verb, verbs);
    return fail(ErrorKind::invalid, fmt::format("unknown step \"{}\"", step.verb),
                near.empty() ? fmt::format("{}", fmt::join(verbs, ", "))
                             : fmt::format("did you mean {}?", near));
}

Result<CaseStep> parse_step(std::string_view line, int number) {
    CaseStep step;
    step.line = number;
    std::string_view head = line;
    if (line.starts_with("at ") || line.starts_with("at\t")) {  // only an event has JSON at its end
        const auto brace = line.find('{');
        head = line.substr(0, brace);
        step.body = brace == std::string_view::npos ? std::string_view{} : line.substr(brace);
    }
    HELIOS_TRY_ASSIGN(auto words, split(head));
    step.verb = std::move(words.front());
    step.words.assign(std::make_move_iterator(words.begin() + 1),
                      std::make_move_iterator(words.end()));
    HELIOS_TRY(check(step));
    return step;
}

}  // namespace

namespace {

/// Takes a script line by line.
class ScriptReader {
public:
    explicit ScriptReader(std::string_view file) : file_(file) {}

    void take(std::string_view raw, int number) {
        const std::string_view line = ascii::trimmed(raw, " \t\r");
        if (inline_line_ != 0) {
            take_inline(raw, line);
        } else if (line == "case" || line.starts_with("case ") || line.starts_with("case\t")) {
            script_.cases.push_back(
                {std::string(ascii::trimmed(line.substr(4), " \t\r")), number, {}, false});
        } else if (!line.empty() && line[0] != '#') {
            take_step(line, number);
        }
    }

    CaseScript finish(int lines) {
        if (inline_line_ != 0) {
            complain(inline_line_, {ErrorKind::invalid, "an inline flow without `end`", ""});
        }
        if (script_.cases.empty() && script_.errors.empty()) {
            complain(std::max(lines, 1),
                     {ErrorKind::invalid, "no cases", "a case begins with `case NAME`"});
        }
        for (auto& scripted : script_.cases) {
            const auto expects = [](const CaseStep& step) { return step.verb == "expect"; };
            if (!scripted.broken &&
                std::none_of(scripted.steps.begin(), scripted.steps.end(), expects)) {
                script_.errors.push_back({ErrorKind::invalid,
                                          fmt::format("{}:{}: case \"{}\" expects nothing", file_,
                                                      scripted.line, scripted.name),
                                          "add `expect KEY …`"});
                scripted.broken = true;
            }
        }
        return std::move(script_);
    }

private:
    void complain(int line, const Error& error) {
        script_.errors.push_back(
            {ErrorKind::invalid, fmt::format("{}:{}: {}", file_, line, error.what), error.hint});
        if (!script_.cases.empty()) {
            script_.cases.back().broken = true;
        }
    }

    void take_inline(std::string_view raw, std::string_view line) {
        if (line == "end") {
            inline_line_ = 0;
        } else if (inline_flow_) {
            script_.cases.back().steps.back().body.append(raw).append("\n");
        }
    }

    void take_step(std::string_view line, int number) {
        if (script_.cases.empty()) {
            if (!told_of_case_) {
                complain(number, {ErrorKind::invalid, "a step before the first `case NAME`", ""});
            }
            told_of_case_ = true;
            return;
        }
        auto step = parse_step(line, number);
        inline_flow_ = step && step->verb == "flow" && step->words[0] == "inline";
        if (!step) {
            complain(number, step.error());
        } else {
            script_.cases.back().steps.push_back(*std::move(step));
        }
        if (inline_flow_ ||
            line.starts_with(
                "flow inline")) {  // also behind one that was refused: what follows is its text
            inline_line_ = number;
        }
    }

    std::string_view file_;
    CaseScript script_;
    int inline_line_ = 0;       ///< of the inline flow that is being read; 0: none
    bool inline_flow_ = false;  ///< its text is kept
    bool told_of_case_ = false;
};

}  // namespace

CaseScript read_case_script(std::string_view text, std::string_view file) {
    ScriptReader reader(file);
    int number = 0;
    if (text.starts_with("\xef\xbb\xbf")) {
        text.remove_prefix(3);
    }
    while (!text.empty()) {
        const auto end = text.find('\n');
        const std::string_view raw = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        reader.take(raw, ++number);
    }
    return reader.finish(number);
}

Result<Instant> parse_case_time(std::string_view text) {
    const bool whole = text.find('T') != std::string_view::npos;
    const auto parsed =
        parse_rfc3339(whole ? std::string(text) : fmt::format("{}{}Z", the_day, text));
    if (!parsed) {
        return fail(ErrorKind::invalid, fmt::format("\"{}\" is no time", text),
                    "12:00:02, or 2026-01-06T12:00:02Z");
    }
    return parsed->at;
}

std::string format_case_time(Instant t) {
    std::string text = format_rfc3339(t);
    if (const auto zeroes = text.rfind(".000Z"); zeroes != std::string::npos) {
        text.replace(zeroes, 4, "");
    }
    return text.starts_with(the_day) ? text.substr(the_day.size(), text.size() - the_day.size() - 1)
                                     : text;
}

}  // namespace helios::app
