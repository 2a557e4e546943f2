#include "app/case_run.h"

#include <algorithm>
#include <filesystem>
#include <fmt/format.h>
#include <map>
#include <optional>
#include <set>
#include <vector>

#include "app/case_script.h"
#include "app/files.h"
#include "base/json.h"
#include "reconcile/rehearsal.h"

namespace helios::app {
namespace {

constexpr std::string_view begin_time = "11:59:00";
constexpr Duration refusals_every = std::chrono::milliseconds(500);

using FlowPointer = std::shared_ptr<const reconcile::Flow>;
/// The flows of a script's `flow` steps, by the step's line.
using Flows = std::map<int, FlowPointer>;
/// What can be said of a verdict or a finding, as scripts write it.
using Facts = std::map<std::string, std::string>;

// ---- flows ---------------------------------------------------------------------------

/// Sets `name: value` wherever the flow has such a line.
Result<std::string> with_changes(std::string text, const CaseStep& step) {
    for (const auto& [name, value] : step.options) {
        const std::string before = name + ": ";
        bool found = false;
        for (auto at = text.find(before); at != std::string::npos; at = text.find(before, at + 1)) {
            text.replace(at + before.size(), text.find('\n', at) - at - before.size(), value);
            found = true;
        }
        if (!found) {
            return fail(ErrorKind::invalid, fmt::format("the flow has no \"{}:\" to change", name));
        }
    }
    return text;
}

/// The flow of a step; empty: `mistakes` says why, all that is wrong with it.
FlowPointer read_flow_of(const CaseStep& step, const std::string& file,
                         std::vector<Error>& mistakes) {
    const auto refuse = [&](const Error& error) {
        mistakes.push_back(
            {error.kind, fmt::format("{}:{}: {}", file, step.line, error.what), error.hint});
        return FlowPointer{};
    };
    std::string text, name = file;
    if (step.words[0] == "inline") {
        // Read once behind empty lines, so that complaints name the script's lines.
        auto reading = reconcile::read_flow(
            std::string(static_cast<std::size_t>(step.line), '\n') + step.body, file);
        if (!reading.errors.empty()) {
            mistakes.insert(mistakes.end(), reading.errors.begin(), reading.errors.end());
            return {};
        }
        text = step.body;
    } else if (step.words[0] == "order") {
        text = reconcile::shipped_order_flow();
        name = "the shipped order flow";
    } else {
        name =
            (std::filesystem::path(file == "-" ? "" : file).parent_path() / step.words[0]).string();
        auto read = read_file(name);
        if (!read) {
            return refuse(read.error());
        }
        text = *std::move(read);
    }
    auto changed = with_changes(std::move(text), step);
    if (!changed) {
        return refuse(changed.error());
    }
    auto reading = reconcile::read_flow(*changed, name);
    mistakes.insert(mistakes.end(), reading.errors.begin(), reading.errors.end());
    return reading.flow ? std::make_shared<const reconcile::Flow>(*std::move(reading.flow))
                        : FlowPointer{};
}

/// The flows of all steps; a case with one that can't be read is broken.
Flows read_flows_of(std::vector<ScriptedCase>& cases, const std::string& file,
                    std::vector<Error>& mistakes) {
    Flows out;
    for (auto& scripted : cases) {
        for (const auto& step : scripted.steps) {
            if (step.verb == "flow") {
                out[step.line] = read_flow_of(step, file, mistakes);
                scripted.broken = scripted.broken || !out[step.line];
            }
        }
    }
    // A file that several cases name is complained of once.
    std::vector<Error> once;
    for (auto& mistake : mistakes) {
        if (std::find(once.begin(), once.end(), mistake) == once.end()) {
            once.push_back(std::move(mistake));
        }
    }
    mistakes = std::move(once);
    return out;
}

// ---- verdicts as a script says them --------------------------------------------------

std::string deadline_of(const model::Verdict& v) {
    return v.deadline == never ? std::string(no_deadline) : format_case_time(v.deadline);
}

std::string describe(const model::Verdict& v) {
    std::string out =
        fmt::format("{} (instance {}, revision {}, version {}", model::to_string(v.status),
                    v.instance, v.revision, v.flow_version);
    for (const auto& leg : v.missing) {
        out += ", missing " + leg;
    }
    for (const auto& money : v.at_risk) {
        out += fmt::format(", at risk {} {}", money.amount, money.currency);
    }
    out += fmt::format(", deadline {})", deadline_of(v));
    for (const auto& f : v.findings) {
        out += fmt::format("\n      {}", model::to_string(f.kind));
        for (const auto& [name, value] : {std::pair{"leg", f.leg},
                                          {"check", f.check},
                                          {"expected", f.expected},
                                          {"actual", f.actual},
                                          {"tolerance", f.tolerance},
                                          {"unit", f.unit}}) {
            out += value.empty() ? "" : fmt::format(" {}={}", name, value);
        }
        out += fmt::format(" severity={} final={}", model::to_string(f.severity), f.final);
        out += f.detail.empty() ? "" : fmt::format(" detail=\"{}\"", f.detail);
    }
    return out;
}

Facts facts_of(const model::Verdict& v) {
    std::string risk;
    for (const auto& money : v.at_risk) {
        risk += fmt::format("{}{}/{}", risk.empty() ? "" : ",", money.amount, money.currency);
    }
    const bool final =
        std::all_of(v.findings.begin(), v.findings.end(), [](const auto& f) { return f.final; });
    return {{"missing", fmt::format("{}", fmt::join(v.missing, ","))},
            {"instance", std::to_string(v.instance)},
            {"revision", std::to_string(v.revision)},
            {"version", std::to_string(v.flow_version)},
            {"at-risk", risk},
            {"deadline", deadline_of(v)},
            {"decided", v.reconciled_at ? format_case_time(*v.reconciled_at) : ""},
            {"findings", std::to_string(v.findings.size())},
            {"final", final ? "true" : "false"}};
}

Facts facts_of(const model::Finding& f) {
    return {{"leg", f.leg},
            {"check", f.check},
            {"expected", f.expected},
            {"actual", f.actual},
            {"tolerance", f.tolerance},
            {"unit", f.unit},
            {"detail", f.detail},
            {"severity", std::string(model::to_string(f.severity))},
            {"final", f.final ? "true" : "false"}};
}

/// The times among the options in the words of facts_of.
std::string as_fact(const std::string& name, const std::string& value) {
    const bool time =
        (name == "deadline" || name == "decided") && !value.empty() && value != no_deadline;
    return time ? format_case_time(*parse_case_time(value)) : value;
}

// ---- one case ------------------------------------------------------------------------

class CaseRun {
public:
    CaseRun(const ScriptedCase& scripted, const std::string& file, const Flows& flows,
            FlowPointer flow, const model::Catalogue& catalogue, const OnComplaint& complain)
        : scripted_(scripted),
          file_(file),
          flows_(flows),
          flow_(std::move(flow)),
          catalogue_(catalogue),
          complain_(complain) {}

    /// A step that can't be taken ends the case.
    void run(CaseSummary& summary) {
        for (const CaseStep& step : scripted_.steps) {
            summary.expectations += step.verb == "expect" ? 1 : 0;
            if (const auto done = take(step); !done) {
                complain(step, done.error().message());
                break;
            }
        }
        summary.failures += failures_;
    }

private:
    void complain(const CaseStep& step, const std::string& what) {
        ++failures_;
        complain_(fmt::format("{}:{}: [{}] {}", file_, step.line, scripted_.name, what));
    }

    /// Starts with the first step that needs it, so that a flow at the head of a case is its first.
    Status start() {
        if (rehearsal_) {
            return {};
        }
        rehearsal_ = std::make_unique<reconcile::Rehearsal>(flow_, *parse_case_time(begin_time));
        return rehearsal_->start();
    }

    Status settle() { return rehearsal_->settle(!holding_route_); }

    Status take(const CaseStep& step) {
        static const std::set<std::string_view> writers{"flow",   "hold", "sleep",  "stand",
                                                        "refuse", "jump", "restart"};
        const bool writes = writers.contains(step.verb);
        if (holding_append_ && writes) {
            return fail(ErrorKind::conflict,
                        fmt::format("`{}` has to write, and appends are held", step.verb),
                        "release append first");
        }
        if (step.verb == "flow") {
            return take_flow(flows_.at(step.line));
        }
        HELIOS_TRY(start());
        if (step.verb == "at") {
            return take_event(step);
        }
        if (step.verb == "expect") {
            return expect(step);
        }
        if (step.verb == "hold" || step.verb == "release") {
            return take_hold(step.verb == "hold", step.words[0] == "route");
        }
        if (step.verb == "restart") {
            return restart(step);
        }
        if (step.verb == "engine") {  // the engine alone runs, as often as it likes
            return rehearsal_->settle(false);
        }
        return let_time_pass(step);
    }

    Status take_flow(FlowPointer flow) {
        flow_ = std::move(flow);
        if (!rehearsal_) {
            return {};
        }
        HELIOS_TRY(rehearsal_->use(flow_));
        return settle();
    }

    Status let_time_pass(const CaseStep& step) {
        const bool back = step.words[0].starts_with('-');
        HELIOS_TRY_ASSIGN(const auto by,
                          parse_duration(std::string_view(step.words[0]).substr(back ? 1 : 0)));
        if (step.verb == "advance") {
            rehearsal_->clock.advance(by);
        } else if (step.verb == "sleep") {
            rehearsal_->clock.sleep_machine(by);
        } else if (step.verb == "stand") {
            rehearsal_->stand_still(by);
        } else if (step.verb == "refuse") {
            return refuse(step, by);
        } else {
            rehearsal_->clock.jump_wall(back ? -by : by);
        }
        return settle();
    }

    /// Senders try again and again.
    Status refuse(const CaseStep& step, Duration by) {
        const std::string source = step.options.contains("source") ? step.options.at("source") : "";
        for (Duration left = by; left > Duration::zero(); left -= refusals_every) {
            rehearsal_->route().presence().refuse(source);
            rehearsal_->clock.advance(std::min(left, refusals_every));
            HELIOS_TRY(settle());
        }
        return {};
    }

    Status restart(const CaseStep& step) {
        rehearsal_->stop();
        if (!step.words.empty()) {
            HELIOS_TRY_ASSIGN(const auto by, parse_duration(step.words[1]));
            rehearsal_->clock.advance(by);
        }
        HELIOS_TRY(rehearsal_->start());
        return settle();
    }

    Status take_hold(bool hold, bool route) {
        if (route) {
            holding_route_ = hold;
        } else if (hold && holding_route_) {
            return fail(ErrorKind::conflict, "route and append can't be held at once",
                        "release route first");
        } else {
            holding_append_ = hold;
            HELIOS_TRY(hold ? rehearsal_->hold_append() : rehearsal_->release_append());
        }
        return hold ? Status{} : settle();
    }

    bool knows_source(const std::string& source) const {
        const auto named = flow_->sources();
        return model::is_built_in_source(source) ||
               std::find(named.begin(), named.end(), source) != named.end();
    }

    /// As an adapter would take the envelope's time.
    static Status claim_time(model::Event& event, std::string_view as_sent) {
        json::Writer text;
        const std::string quoted = text.string(as_sent).take();
        auto sent = json::Document::parse(as_sent);
        if (!sent) {
            sent = json::Document::parse(quoted);
        }
        if (!sent) {
            return fail(sent.error());
        }
        const auto claim = claimed_time(sent->root());
        event.time = claim.taken() ? std::optional(claim.at) : std::nullopt;
        event.time_had_zone = claim.had_zone;
        event.time_as_sent = claim.doubtful() ? model::kept_as_sent(sent->root()) : std::string();
        return {};
    }

    /// As the gateway would take it from its sender.
    Status take_event(const CaseStep& step) {
        HELIOS_TRY_ASSIGN(const auto when, parse_case_time(step.words[0]));
        auto& clock = rehearsal_->clock;
        if (when > clock.wall()) {
            clock.advance(when - clock.wall());
        }
        model::Event event(default_tenant());
        event.source = step.words[1];
        event.type = step.words[2];
        event.id =
            step.options.contains("id") ? step.options.at("id") : "e-" + std::to_string(++next_id_);
        event.payload = step.body;
        event.time = when;
        if (step.options.contains("time")) {
            const auto& text = step.options.at("time");
            if (text.starts_with(time_as_sent)) {
                HELIOS_TRY(claim_time(event, std::string_view(text).substr(time_as_sent.size())));
            } else {
                event.time = text == "none" ? std::nullopt : std::optional(*parse_case_time(text));
            }
        }
        HELIOS_TRY_ASSIGN(const auto payload, json::Document::parse(event.payload));
        const auto judged = catalogue_.judge(event, payload.root());
        if (!judged.accepted || !knows_source(event.source)) {
            ++quarantined_;
            return holding_append_ ? Status{} : settle();
        }
        model::take_judgement(event, judged);
        HELIOS_TRY(rehearsal_->append(judged.topic, event));
        return holding_append_ ? Status{} : settle();
    }

    // -- expectations

    Status expect(const CaseStep& step) {
        const auto& w = step.words;
        if (w[0] == "quarantined" && w.size() == 2 &&
            w[1].find_first_not_of("0123456789") == std::string::npos) {
            if (std::to_string(quarantined_) != w[1]) {
                complain(step, fmt::format("{} in quarantine", quarantined_));
            }
            return {};
        }
        HELIOS_TRY_ASSIGN(const auto all, rehearsal_->verdicts());
        const model::Verdict* latest = nullptr;
        std::size_t revisions = 0;
        for (const auto& v : all) {
            if (v.key == w[0]) {
                ++revisions;
                latest = latest == nullptr || std::pair(v.instance, v.revision) >
                                                  std::pair(latest->instance, latest->revision)
                             ? &v
                             : latest;
            }
        }
        if (w[1] == "nothing") {
            if (latest != nullptr) {
                complain(step, fmt::format("{} is {}", w[0], describe(*latest)));
            }
        } else if (latest == nullptr) {
            complain(step, fmt::format("there is no verdict for {}", w[0]));
        } else if (w[1] == "revisions") {
            if (std::to_string(revisions) != w[2]) {
                complain(step, fmt::format("{} has {} revisions; the last is {}", w[0], revisions,
                                           describe(*latest)));
            }
        } else if (w[1] == "finding" || w[1] == "no-finding") {
            expect_finding(step, *latest);
        } else {
            expect_status(step, *latest);
        }
        return {};
    }

    void expect_status(const CaseStep& step, const model::Verdict& v) {
        std::string wrong;
        if (step.words[1] != model::to_string(v.status)) {
            wrong = fmt::format("{}, not {}", model::to_string(v.status), step.words[1]);
        }
        const Facts facts = facts_of(v);
        for (const auto& [name, value] : step.options) {
            if (const auto& fact = facts.at(name); fact != as_fact(name, value)) {
                wrong += fmt::format("{}{}={}, not {}", wrong.empty() ? "" : "; ", name, fact,
                                     value.empty() ? "empty" : value);
            }
        }
        if (!wrong.empty()) {
            complain(step, fmt::format("{}\n      {} is {}", wrong, step.words[0], describe(v)));
        }
    }

    void expect_finding(const CaseStep& step, const model::Verdict& v) {
        const auto is_it = [&](const model::Finding& f) {
            const Facts facts = facts_of(f);
            return step.words[2] == model::to_string(f.kind) &&
                   std::all_of(step.options.begin(), step.options.end(), [&](const auto& wanted) {
                       return facts.at(wanted.first) == wanted.second;
                   });
        };
        const bool found = std::any_of(v.findings.begin(), v.findings.end(), is_it);
        if (found != (step.words[1] == "finding")) {
            complain(step, fmt::format("{} such finding\n      {} is {}", found ? "there is" : "no",
                                       step.words[0], describe(v)));
        }
    }

    const ScriptedCase& scripted_;
    const std::string& file_;
    const Flows& flows_;
    FlowPointer flow_;
    const model::Catalogue& catalogue_;
    const OnComplaint& complain_;
    std::unique_ptr<reconcile::Rehearsal> rehearsal_;
    bool holding_route_ = false;
    bool holding_append_ = false;
    int next_id_ = 0;
    int quarantined_ = 0;
    std::size_t failures_ = 0;
};

}  // namespace

CaseSummary run_case_file(std::string_view text, const std::string& file,
                          const CaseRunOptions& options, const OnComplaint& complain) {
    auto script = read_case_script(text, file);
    CaseSummary summary;
    summary.mistakes = std::move(script.errors);
    const auto flows = read_flows_of(script.cases, file, summary.mistakes);
    FlowPointer flow = options.flow;
    if (!flow) {
        flow = std::make_shared<const reconcile::Flow>(
            *reconcile::parse_flow(reconcile::shipped_order_flow(), "order.yaml"));
    }
    for (const auto& scripted : script.cases) {
        if (!scripted.broken) {
            ++summary.cases;
            CaseRun(scripted, file, flows, flow, *options.catalogue, complain).run(summary);
        }
    }
    return summary;
}

}  // namespace helios::app
