#include <algorithm>
#include <prometheus/counter.h>
#include <prometheus/family.h>
#include <prometheus/gauge.h>
#include <prometheus/histogram.h>
#include <prometheus/registry.h>
#include <prometheus/text_serializer.h>

#include "base/assert.h"
#include "base/mutex.h"
#include "telemetry/telemetry.h"

namespace helios::telemetry {
namespace {

class PrometheusCounter final : public Counter {
public:
    explicit PrometheusCounter(prometheus::Counter& metric) : metric_(metric) {}
    void add(double n) override { metric_.Increment(n); }
    double value() const override { return metric_.Value(); }

private:
    prometheus::Counter& metric_;
};

class PrometheusGauge final : public Gauge {
public:
    explicit PrometheusGauge(prometheus::Gauge& metric) : metric_(metric) {}
    void set(double v) override { metric_.Set(v); }
    void add(double d) override { metric_.Increment(d); }
    double value() const override { return metric_.Value(); }

private:
    prometheus::Gauge& metric_;
};

class PrometheusHistogram final : public Histogram {
public:
    explicit PrometheusHistogram(prometheus::Histogram& metric) : metric_(metric) {}
    void observe(double v) override { metric_.Observe(v); }

private:
    prometheus::Histogram& metric_;
};

/// One metric name: its kind, its library family, and our object per label set.
template <class Ours, class Theirs>
struct Family {
    prometheus::Family<Theirs>* family = nullptr;
    std::map<Labels, std::unique_ptr<Ours>> metrics;
};
template <class Ours, class Theirs>
using Families = std::map<std::string, Family<Ours, Theirs>, std::less<>>;

bool valid_name(std::string_view name) {
    const auto letter = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c == ':';
    };
    return !name.empty() && letter(name.front()) &&
           std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

}  // namespace

struct Metrics::State {
    mutable Mutex mutex;
    prometheus::Registry registry;
    Families<PrometheusCounter, prometheus::Counter> counters HELIOS_GUARDED_BY(mutex);
    Families<PrometheusGauge, prometheus::Gauge> gauges HELIOS_GUARDED_BY(mutex);
    Families<PrometheusHistogram, prometheus::Histogram> histograms HELIOS_GUARDED_BY(mutex);

    /// Names come from code, so a bad one, or one name for two kinds, is a bug.
    void check(std::string_view name, bool exists, const Labels& labels) const
        HELIOS_REQUIRES(mutex) {
        HELIOS_ASSERT(valid_name(name), "not a metric name");
        const int kinds =
            counters.contains(name) + gauges.contains(name) + histograms.contains(name);
        HELIOS_ASSERT(kinds == (exists ? 1 : 0), "one metric name used for two kinds");
        for (const auto& [label, value] : labels) {
            HELIOS_ASSERT(valid_name(label) && !label.starts_with("__") &&
                              label.find(':') == std::string::npos,
                          "not a label name");
        }
    }

    template <class Ours, class Theirs, class Build, class... Args>
    Ours& get(Families<Ours, Theirs>& families, Build build, std::string_view name,
              std::string_view help, const Labels& labels, const Args&... args)
        HELIOS_REQUIRES(mutex) {
        auto found = families.find(name);
        check(name, found != families.end(), labels);
        if (found == families.end()) {
            found = families.try_emplace(std::string(name)).first;
            found->second.family =
                &build().Name(std::string(name)).Help(std::string(help)).Register(registry);
        }
        std::unique_ptr<Ours>& metric = found->second.metrics[labels];
        if (!metric) {
            metric = std::make_unique<Ours>(found->second.family->Add(labels, args...));
        }
        return *metric;
    }
};

Metrics::Metrics() : state_(std::make_unique<State>()) {}
Metrics::~Metrics() = default;

Counter& Metrics::counter(std::string_view name, std::string_view help, const Labels& labels) {
    const MutexLock lock(state_->mutex);
    return state_->get(state_->counters, prometheus::BuildCounter, name, help, labels);
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, const Labels& labels) {
    const MutexLock lock(state_->mutex);
    return state_->get(state_->gauges, prometheus::BuildGauge, name, help, labels);
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help,
                              const std::vector<double>& buckets, const Labels& labels) {
    HELIOS_ASSERT(std::ranges::is_sorted(buckets, std::less_equal<>()),
                  "histogram buckets must grow");
    const MutexLock lock(state_->mutex);
    return state_->get(state_->histograms, prometheus::BuildHistogram, name, help, labels, buckets);
}

std::string Metrics::expose() const {
    return prometheus::TextSerializer().Serialize(state_->registry.Collect());
}

}  // namespace helios::telemetry
