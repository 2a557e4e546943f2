#include "lab/demo_send.h"

#include <algorithm>
#include <fmt/format.h>
#include <tuple>

namespace helios::lab {
namespace {

using std::chrono::milliseconds;

constexpr std::size_t grid_batch_max = 10;
constexpr int attempts_max = 20;

bool is_success(int status) {
    return status >= 200 && status < 300;
}
bool is_retryable(int status) {
    return status == 0 || status == 429 || status >= 500;
}

std::string header_of(const http::Response& response, std::string_view name) {
    for (const auto& [key, value] : response.headers) {
        if (std::ranges::equal(key, name,
                               [](char a, char b) { return (a | 0x20) == (b | 0x20); })) {
            return value;
        }
    }
    return {};
}

}  // namespace

ShopSender::ShopSender(const FaultPlan& plan, const DemoOptions& options, const http::Url& url,
                       const Clock& clock, const std::atomic<bool>& stop)
    : plan_(plan),
      options_(options),
      url_(url),
      clock_(clock),
      stop_(stop),
      legs_left_(plan.orders.size()) {
    for (std::size_t i = 0; i < plan.orders.size(); ++i) {
        const PlannedOrder& order = plan.orders[i];
        reports_.emplace_back(order.events.size());
        // An order that lacks a leg is decided by its deadline: nothing to watch for.
        bool complete = order.truth.missing.empty();
        auto legs = std::ranges::count_if(
            order.events, [](const PlannedEvent& e) { return e.reaches_case && !e.repeat; });
        legs_left_[i] = complete ? static_cast<int>(legs) : -1;
    }
}

ShopSender::~ShopSender() {
    finish();
}

void ShopSender::start() {
    started_ = clock_.monotonic();
    lanes_left_ = 3;
    for (Cloud cloud : {Cloud::aws, Cloud::gcp, Cloud::azure}) {
        threads_.emplace_back([this, cloud] {
            run_lane(cloud);
            --lanes_left_;
        });
    }
    for (std::uint32_t i = 0; i < options_.watchers; ++i) {
        threads_.emplace_back([this] { run_watcher(); });
    }
}

void ShopSender::finish() {
    threads_.clear();
}

/// False when the run was stopped meanwhile.
bool ShopSender::sleep_until(Duration monotonic) const {
    while (!stop_) {
        Duration left = monotonic - clock_.monotonic();
        if (left <= Duration{}) {
            return true;
        }
        std::this_thread::sleep_for(std::min<Duration>(left, milliseconds(50)));
    }
    return false;
}

void ShopSender::run_lane(Cloud cloud) {
    std::vector<Slot> slots;
    for (std::size_t o = 0; o < plan_.orders.size(); ++o) {
        for (std::size_t e = 0; e < plan_.orders[o].events.size(); ++e) {
            if (cloud_of(plan_.orders[o].events[e].fact.leg) == cloud) {
                slots.push_back({o, e});
            }
        }
    }
    std::ranges::sort(slots, {}, [&](const Slot& s) {
        return std::tuple(planned(s).send_after, s.order, s.event);
    });
    http::Client client(url_.host, url_.port);
    for (std::size_t i = 0; i < slots.size();) {
        if (!sleep_until(started_ + planned(slots[i]).send_after)) {
            return;
        }
        std::vector<Slot> due{slots[i++]};
        while (cloud == Cloud::azure && i < slots.size() && due.size() < grid_batch_max &&
               started_ + planned(slots[i]).send_after <= clock_.monotonic()) {
            due.push_back(slots[i++]);
        }
        send(client, due);
    }
}

/// Sends until the server answers for good, as a cloud's delivery service would, only sooner.
void ShopSender::send(http::Client& client, const std::vector<Slot>& slots) {
    Delivery delivery;
    if (cloud_of(planned(slots.front()).fact.leg) == Cloud::azure) {
        std::vector<const Fact*> facts;
        for (const Slot& slot : slots) {
            facts.push_back(&planned(slot).fact);
        }
        delivery = deliver_batch(facts);
    } else {
        delivery = deliver(planned(slots.front()).fact, planned(slots.front()).wrapping);
    }
    for (int attempt = 1; attempt <= attempts_max; ++attempt) {
        Duration sent = clock_.monotonic();
        Result<http::Response> response =
            client.request(http::Method::post, delivery.target, delivery.headers, delivery.body);
        for (const Slot& slot : slots) {
            SendReport& report = reports_[slot.order][slot.event];
            report.sent = attempt == 1 ? sent : report.sent;
            report.attempts = attempt;
        }
        int status = response ? response->status : 0;
        if (!is_retryable(status)) {
            answered(slots, &*response);
            return;
        }
        ++retries_;
        if (!sleep_until(clock_.monotonic() + milliseconds(250))) {
            return;
        }
    }
    answered(slots, nullptr);
}

void ShopSender::answered(const std::vector<Slot>& slots, const http::Response* response) {
    Duration now = clock_.monotonic();
    int status = response ? response->status : 0;
    std::string position = response ? header_of(*response, "Helios-Position") : std::string{};
    for (const Slot& slot : slots) {
        SendReport& report = reports_[slot.order][slot.event];
        report.answered = now;
        report.status = status;
        if (is_success(status)) {
            ++delivered_;
            watch_if_complete(slot, position);
        } else {
            MutexLock lock(mutex_);
            refused_.push_back(fmt::format(
                "{} {}: {}", plan_.orders[slot.order].order.id, to_string(planned(slot).fact.leg),
                status == 0 ? std::string("no answer") : fmt::format("answered {}", status)));
        }
    }
}

void ShopSender::watch_if_complete(const Slot& slot, std::string position) {
    if (!planned(slot).reaches_case || planned(slot).repeat || legs_left_[slot.order] < 0) {
        return;
    }
    if (--legs_left_[slot.order] == 0) {
        MutexLock lock(mutex_);
        watches_.push_back({slot.order, clock_.monotonic(), std::move(position)});
    }
}

void ShopSender::run_watcher() {
    http::Client client(url_.host, url_.port);
    while (!stop_) {
        bool over = done();  // read before looking: a lane pushes its last watch before it ends
        Watch next;
        bool found = false;
        {
            MutexLock lock(mutex_);
            if (!watches_.empty()) {
                next = std::move(watches_.front());
                watches_.pop_front();
                found = true;
            }
        }
        if (found) {
            watch(client, next);
        } else if (over) {
            return;
        } else {
            std::this_thread::sleep_for(milliseconds(1));
        }
    }
}

void ShopSender::watch(http::Client& client, const Watch& watch) {
    const PlannedOrder& order = plan_.orders[watch.order];
    std::string target = "/api/v1/reconciliation/" + http::percent_encode(order.order.id);
    if (!watch.position.empty()) {
        target += "?after=" + http::percent_encode(watch.position);
    }
    // A verdict overdue by more is for the scoreboard, not for this clock.
    while (!stop_ && clock_.monotonic() - watch.since < std::chrono::seconds(3)) {
        Result<http::Response> response = client.get(target);
        if (response && response->status == 200) {
            Result<GotVerdict> verdict = parse_verdict(response->body);
            if (verdict && verdict->status == order.truth.status) {
                MutexLock lock(mutex_);
                to_verdict_.push_back(clock_.monotonic() - watch.since);
                return;
            }
        }
        std::this_thread::sleep_for(milliseconds(2));
    }
}

SendTimes ShopSender::times(std::size_t order) const {
    SendTimes times;
    for (Leg leg : {Leg::order, Leg::payment, Leg::inventory}) {
        std::optional<Duration> sent;
        std::optional<Duration> answered;
        for (std::size_t e = 0; e < plan_.orders[order].events.size(); ++e) {
            const PlannedEvent& event = plan_.orders[order].events[e];
            const SendReport& report = reports_[order][e];
            if (event.fact.leg == leg && event.reaches_case && is_success(report.status)) {
                sent = std::min(sent.value_or(Duration::max()), report.sent);
                answered = std::min(answered.value_or(Duration::max()), report.answered);
            }
        }
        if (sent) {
            times.first_sent = std::min(times.first_sent.value_or(Duration::max()), *sent);
            times.first_answered =
                std::min(times.first_answered.value_or(Duration::max()), *answered);
            times.last_sent = std::max(times.last_sent.value_or(Duration::min()), *sent);
            times.last_answered =
                std::max(times.last_answered.value_or(Duration::min()), *answered);
        }
    }
    return times;
}

std::vector<Duration> ShopSender::times_to_verdict() const {
    MutexLock lock(mutex_);
    std::vector<Duration> sorted = to_verdict_;
    std::ranges::sort(sorted);
    return sorted;
}

std::vector<std::string> ShopSender::refused() const {
    MutexLock lock(mutex_);
    return refused_;
}

}  // namespace helios::lab
