#include "api/vitals.h"

#include <algorithm>
#include <fmt/format.h>

#include "base/pause.h"
#include "base/thread_name.h"

namespace helios::api {
namespace {

constexpr Duration look_every = std::chrono::milliseconds(200);
constexpr Duration look_soon = std::chrono::milliseconds(20);  // while somebody waits for better

/// What is known of one that was to be asked and has not answered, or was not even asked.
template <class Heard>
CheckOutcome silence(const typename LastHeard<Heard>::Told& told) {
    const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(told.age).count();
    return {told.asking.empty() ? "probes" : told.asking,
            fail(ErrorKind::unavailable,
                 told.heard ? fmt::format("it has not answered for {} s", seconds)
                            : std::string("it has not answered yet"),
                 "it may be stuck, or the machine overloaded: see the log")};
}

/// `outcome` instead of what was known under its name.
void put(std::vector<CheckOutcome>& outcomes, CheckOutcome outcome) {
    const auto known = std::find_if(outcomes.begin(), outcomes.end(),
                                    [&](const auto& o) { return o.name == outcome.name; });
    if (known == outcomes.end()) {
        outcomes.push_back(std::move(outcome));
    } else {
        *known = std::move(outcome);
    }
}

bool all_good(const std::vector<CheckOutcome>& outcomes) {
    return std::all_of(outcomes.begin(), outcomes.end(),
                       [](const auto& outcome) { return outcome.status.has_value(); });
}

/// `ask` says whether all is well.
template <class Ask>
std::jthread again_and_again(const char* name, Ask ask) {
    return std::jthread([name, ask](const std::stop_token& stop) {
        name_this_thread(name);
        while (!stop.stop_requested()) {
            pause_for(stop, ask() ? look_every : look_soon);
        }
    });
}

}  // namespace

void Vitals::start() {
    ready_thread_ = again_and_again("readiness", [this] {
        ask_readiness();
        return all_good(readiness());
    });
    health_thread_ = again_and_again("health", [this] {
        ask_wellbeing();
        return true;
    });
}

void Vitals::stop() {
    for (auto* thread : {&ready_thread_, &health_thread_}) {
        if (thread->joinable()) {
            thread->request_stop();
            thread->join();
        }
    }
}

void Vitals::look() {
    ask_readiness();
    ask_wellbeing();
}

void Vitals::ask_readiness() {
    const Duration began = clock_.monotonic();
    readiness_.heard(
        progress_.run_checks([this](std::string_view check) { readiness_.asking(check); }), began);
}

std::vector<CheckOutcome> Vitals::readiness() const {
    const auto told = readiness_.told();
    auto outcomes = told.heard ? *told.heard : std::vector<CheckOutcome>();
    // Whoever asks for more than probes found out meanwhile, and has been answered.
    if (told.heard &&
        progress_.answerable_since().value_or(Duration::min()) > clock_.monotonic() - told.age) {
        for (auto& outcome : outcomes) {
            outcome.status = {};
        }
    }
    if (!told.heard || told.age > age_max) {
        put(outcomes, silence<std::vector<CheckOutcome>>(told));
    }
    return outcomes;
}

void Vitals::ask_wellbeing() {
    const Duration began = clock_.monotonic();
    Wellbeing now;
    wellbeing_.asking("clock");
    now.checks.push_back({"clock", progress_.clock()});
    for (const auto& concern : health_.concerns) {
        wellbeing_.asking(concern.name);
        now.checks.push_back({concern.name, concern.check()});
    }
    wellbeing_.asking("log");
    now.damage = log_.damage();
    now.watermark = log_.low_watermark();
    now.last_log_time = log_.last_log_time();
    wellbeing_.asking("stages");
    now.stages = {{{"route", barrier_.route().frontier.get()},
                   {"engine", barrier_.engine().frontier.get()},
                   {"store", barrier_.store().frontier.get()}}};
    const auto ask = [this](const std::vector<HealthDetail>& details, Details& heard) {
        for (const auto& detail : details) {
            wellbeing_.asking(detail.name);
            heard.emplace_back(detail.name, detail.json());
        }
    };
    ask(health_.components, now.components);
    ask(health_.clouds, now.clouds);
    wellbeing_.heard(std::move(now), began);
}

Vitals::Wellbeing Vitals::wellbeing() const {
    const auto told = wellbeing_.told();
    auto all = told.heard ? *told.heard : Wellbeing();
    auto checks = readiness();
    checks.insert(checks.end(), all.checks.begin(), all.checks.end());
    if (!told.heard || told.age > age_max) {
        put(checks, silence<Wellbeing>(told));
    }
    all.checks = std::move(checks);
    return all;
}

}  // namespace helios::api
