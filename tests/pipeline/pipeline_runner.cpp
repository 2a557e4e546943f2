// Runs one .case file: event -> catalogue -> log -> route -> engine -> verdicts, on a manual clock. Prints every expectation that
// does not hold as file:line, with what is there instead; exit 1 if there is one.
#include <cstdio>
#include <fstream>
#include <iterator>
#include <map>
#include <optional>

#include "case_script.h"
#include "model/catalogue.h"
#include "reconcile/stage_kit.h"

namespace helios::pipeline {
namespace {

using reconcile::test::Pipeline;

constexpr std::string_view today = "2026-01-05T";

/// "name=value" words after the fixed ones.
using Options = std::map<std::string, std::string>;

Options options_of(const std::vector<std::string>& words, std::size_t from) {
    Options out;
    for (std::size_t i = from; i < words.size(); ++i) {
        const auto equals = words[i].find('=');
        out[words[i].substr(0, equals)] = equals == std::string::npos ? "" : words[i].substr(equals + 1);
    }
    return out;
}

std::string describe(const model::Verdict& v) {
    std::string out = std::string(model::to_string(v.status)) + " (instance " + std::to_string(v.instance) + ", revision " +
                      std::to_string(v.revision) + ", version " + std::to_string(v.flow_version);
    for (const auto& leg : v.missing) {
        out += ", missing " + leg;
    }
    for (const auto& money : v.at_risk) {
        out += ", at risk " + money.amount + " " + money.currency;
    }
    out += ", deadline " + format_rfc3339(v.deadline) + ")";
    for (const auto& f : v.findings) {
        out += "\n      " + std::string(model::to_string(f.kind)) + " leg=" + f.leg + " expected=" + f.expected +
               " actual=" + f.actual + " unit=" + f.unit + " check=" + f.check + " final=" + (f.final ? "true" : "false") +
               " detail=\"" + f.detail + "\"";
    }
    return out;
}

class Runner {
public:
    Runner(std::string file, const Case& script) : file_(std::move(file)), script_(script) {}

    /// How many expectations failed.
    int run() {
        for (const Step& step : script_.steps) {
            if (const auto done = take(step); !done) {
                complain(step, done.error().message());
                return failures_;
            }
        }
        return failures_;
    }

private:
    void complain(const Step& step, const std::string& what) {
        ++failures_;
        std::printf("%s:%d: [%s] %s\n", file_.c_str(), step.line, script_.name.c_str(), what.c_str());
    }

    Pipeline& pipeline() {
        if (!pipeline_) {
            pipeline_ = std::make_unique<Pipeline>(flow_, reconcile::test::noon(-60));
            const auto started = pipeline_->start();
            HELIOS_ASSERT(started.has_value(), "a pipeline starts");
        }
        return *pipeline_;
    }

    Status settle() { return pipeline().settle(!holding_route_); }

    Status take(const Step& step) {
        const auto& w = step.words;
        const auto word = [&](std::size_t i) { return i < w.size() ? w[i] : std::string(); };
        if (step.verb == "flow") {
            return take_flow(step);
        }
        if (step.verb == "at") {
            return take_event(step);
        }
        if (step.verb == "advance" || step.verb == "sleep") {
            HELIOS_TRY_ASSIGN(const auto by, parse_duration(word(0)));
            step.verb == "sleep" ? pipeline().clock.sleep_machine(by) : pipeline().clock.advance(by);
            return settle();
        }
        if (step.verb == "jump") {
            const bool back = word(0).starts_with("-");
            HELIOS_TRY_ASSIGN(const auto by, parse_duration(word(0).substr(back ? 1 : 0)));
            pipeline().clock.jump_wall(back ? -by : by);
            return settle();
        }
        if (step.verb == "hold" || step.verb == "release") {
            return take_hold(step.verb == "hold", word(0));
        }
        if (step.verb == "restart") {
            pipeline().down();
            if (word(0) == "after") {
                HELIOS_TRY_ASSIGN(const auto by, parse_duration(word(1)));
                pipeline().clock.advance(by);
            }
            HELIOS_TRY(pipeline().start());
            return settle();
        }
        if (step.verb == "engine") {  // the engine alone runs, as often as it likes
            return pipeline().settle(false);
        }
        if (step.verb == "expect") {
            return expect(step);
        }
        return fail(ErrorKind::invalid, "unknown step '" + step.verb + "'",
                    "at, advance, sleep, jump, flow, hold, release, restart, engine, expect");
    }

    Status take_flow(const Step& step) {
        std::string text(reconcile::shipped_order_flow());
        if (step.words.at(0) == "inline") {
            text = step.body;
        } else if (step.words.at(0) == "order") {  // the shipped one with changes: flow order version=2 deadline=5s
            for (const auto& [name, value] : options_of(step.words, 1)) {
                const std::string before = name + ": ";
                for (auto at = text.find(before); at != std::string::npos; at = text.find(before, at + 1)) {
                    text.replace(at + before.size(), text.find('\n', at) - at - before.size(), value);
                }
            }
        }
        HELIOS_TRY_ASSIGN(auto flow, reconcile::parse_flow(text, file_));
        flow_ = std::make_shared<const reconcile::Flow>(std::move(flow));
        if (pipeline_) {
            HELIOS_TRY(pipeline_->use(flow_));
            return settle();
        }
        return {};
    }

    Status take_hold(bool hold, const std::string& what) {
        if (what == "route") {
            holding_route_ = hold;
        } else if (what == "append") {
            holding_append_ = hold;
            hold ? pipeline().hold_append() : pipeline().release_append();
        } else {
            return fail(ErrorKind::invalid, "hold what?", "route or append");
        }
        return hold ? Status{} : settle();
    }

    /// at 12:00:02 gcp PaymentProcessed [id=…] [time=12:00:01|none] {json}
    Status take_event(const Step& step) {
        if (step.words.size() < 3) {
            return fail(ErrorKind::invalid, "an event needs a time, a source and a type");
        }
        HELIOS_TRY_ASSIGN(const auto when, parse_rfc3339(std::string(today) + step.words[0] + "Z"));
        if (when.at > pipeline().clock.wall()) {
            pipeline().clock.advance(when.at - pipeline().clock.wall());
        }
        const Options options = options_of(step.words, 3);
        const auto option = [&](const std::string& name) { return options.contains(name) ? options.at(name) : std::string(); };
        model::Event event =
            reconcile::test::event(step.words[1], step.words[2],
                                   option("id").empty() ? "e-" + std::to_string(++next_id_) : option("id"), step.body, when.at);
        if (option("time") == "none") {
            event.time.reset();
        } else if (!option("time").empty()) {
            HELIOS_TRY_ASSIGN(const auto claimed, parse_rfc3339(std::string(today) + option("time") + "Z"));
            event.time = claimed.at;
        }
        HELIOS_TRY_ASSIGN(const auto payload, json::Document::parse(event.payload));
        const auto judged = model::Catalogue::shipped().judge(event, payload.root());
        if (!judged.accepted) {
            ++quarantined_;
            return {};
        }
        event.key = judged.key;
        pipeline().append(judged.topic, event);
        return holding_append_ ? Status{} : settle();
    }

    std::optional<model::Verdict> latest(const std::string& key) {
        std::optional<model::Verdict> out;
        for (auto& v : pipeline().verdicts()) {
            if (v.key == key && (!out || std::pair(v.instance, v.revision) > std::pair(out->instance, out->revision))) {
                out = std::move(v);
            }
        }
        return out;
    }

    Status expect(const Step& step) {
        const auto& w = step.words;
        if (w.size() < 2) {
            return fail(ErrorKind::invalid, "expect what?", "expect KEY STATUS …");
        }
        if (w[0] == "quarantined") {
            if (std::to_string(quarantined_) != w[1]) {
                complain(step, "quarantined " + std::to_string(quarantined_));
            }
            return {};
        }
        const auto verdict = latest(w[0]);
        if (w[1] == "nothing") {
            if (verdict) {
                complain(step, w[0] + " is " + describe(*verdict));
            }
            return {};
        }
        if (!verdict) {
            complain(step, "no verdict for " + w[0]);
            return {};
        }
        if (w[1] == "finding" || w[1] == "no-finding") {
            expect_finding(step, *verdict);
        } else if (w[1] == "revisions") {
            std::size_t count = 0;
            for (const auto& v : pipeline().verdicts()) {
                count += v.key == w[0] ? 1 : 0;
            }
            if (std::to_string(count) != w.at(2)) {
                complain(step, std::to_string(count) + " revisions; the last: " + describe(*verdict));
            }
        } else {
            expect_status(step, *verdict);
        }
        return {};
    }

    /// expect KEY STATUS [missing=a,b] [instance=n] [revision=n] [version=n] [at-risk=12.50/USD] [deadline=12:01:00]
    /// [decided=12:01:00] [findings=n] [final=true]
    void expect_status(const Step& step, const model::Verdict& v) {
        std::string missing, risk, deciding;
        for (const auto& leg : v.missing) {
            missing += (missing.empty() ? "" : ",") + leg;
        }
        for (const auto& money : v.at_risk) {
            risk += (risk.empty() ? "" : ",") + money.amount + "/" + money.currency;
        }
        const auto time = [](Instant t) {
            return format_rfc3339(t).substr(today.size(), format_rfc3339(t).find('.') - today.size());
        };
        bool final = true;
        for (const auto& f : v.findings) {
            final = final && f.final;
        }
        const Options facts{{"missing", missing},
                            {"instance", std::to_string(v.instance)},
                            {"revision", std::to_string(v.revision)},
                            {"version", std::to_string(v.flow_version)},
                            {"at-risk", risk},
                            {"deadline", time(v.deadline)},
                            {"decided", v.reconciled_at ? time(*v.reconciled_at) : ""},
                            {"findings", std::to_string(v.findings.size())},
                            {"final", final ? "true" : "false"}};
        bool good = step.words[1] == model::to_string(v.status);
        for (const auto& [name, value] : options_of(step.words, 2)) {
            good = good && facts.contains(name) && facts.at(name) == value;
        }
        if (!good) {
            complain(step, step.words[0] + " is " + describe(v));
        }
    }

    /// expect KEY finding KIND [leg=] [check=] [expected=] [actual=] [tolerance=] [unit=] [severity=] [detail=]
    void expect_finding(const Step& step, const model::Verdict& v) {
        const Options wanted = options_of(step.words, 3);
        bool found = false;
        for (const auto& f : v.findings) {
            const Options facts{{"leg", f.leg},
                                {"check", f.check},
                                {"expected", f.expected},
                                {"actual", f.actual},
                                {"tolerance", f.tolerance},
                                {"unit", f.unit},
                                {"detail", f.detail},
                                {"severity", std::string(model::to_string(f.severity))}};
            bool same = step.words.at(2) == model::to_string(f.kind);
            for (const auto& [name, value] : wanted) {
                same = same && facts.contains(name) && facts.at(name) == value;
            }
            found = found || same;
        }
        if (found != (step.words[1] == "finding")) {
            complain(step, step.words[0] + " is " + describe(v));
        }
    }

    std::string file_;
    const Case& script_;
    std::shared_ptr<const reconcile::Flow> flow_ = reconcile::test::order_flow();
    std::unique_ptr<Pipeline> pipeline_;
    bool holding_route_ = false;
    bool holding_append_ = false;
    int next_id_ = 0;
    int quarantined_ = 0;
    int failures_ = 0;
};

int run_file(const char* path) {
    std::ifstream in(path);
    const std::string text{std::istreambuf_iterator<char>(in), {}};
    const auto cases = parse_script(text, path);
    if (!cases || cases->empty()) {
        std::printf("%s: %s\n", path, cases ? "no cases" : cases.error().message().c_str());
        return 2;
    }
    int failures = 0;
    for (const Case& c : *cases) {
        failures += Runner(path, c).run();
    }
    std::printf("%s: %zu cases, %d failures\n", path, cases->size(), failures);
    return failures == 0 ? 0 : 1;
}

}  // namespace
}  // namespace helios::pipeline

int main(int argc, char** argv) {
    if (argc < 2) {
        std::printf("usage: pipeline_runner FILE.case…\n");
        return 2;
    }
    int result = 0;
    for (int i = 1; i < argc; ++i) {
        result = std::max(result, helios::pipeline::run_file(argv[i]));
    }
    return result;
}
