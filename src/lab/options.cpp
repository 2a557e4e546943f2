#include "lab/options.h"

namespace helios::lab {
namespace {

Status check(bool good, const char* what, const char* hint) {
    if (good) {
        return {};
    }
    return fail(ErrorKind::invalid, what, hint);
}

}  // namespace

Status DemoOptions::validate() const {
    using std::chrono::seconds;
    HELIOS_TRY(check(!base_url.empty(), "no server to send to", "give its URL"));
    HELIOS_TRY(check(orders >= 20 && orders <= 5000, "orders must be 20 to 5000",
                     "20 are enough to show every fault once"));
    HELIOS_TRY(check(deadline >= seconds(1), "the deadline must be at least 1 s",
                     "shorter ones cannot be told from network time"));
    HELIOS_TRY(check(late_by > deadline + seconds(1),
                     "late legs must come more than deadline + 1 s after the first",
                     "raise late-by"));
    HELIOS_TRY(check(send_for > late_by + seconds(1),
                     "sending must take longer than a late leg is late", "raise the sending time"));
    HELIOS_TRY(check(send_for <= seconds(600), "sending may take 10 minutes at most",
                     "lower the sending time"));
    return check(watchers >= 1 && watchers <= 8, "watchers must be 1 to 8", "2 are plenty");
}

Status BenchOptions::validate() const {
    HELIOS_TRY(check(!base_url.empty(), "no server to send to", "give its URL with --to"));
    HELIOS_TRY(check(batch >= 1 && batch <= 5000, "batch must be 1 to 5000",
                     "Event Grid delivers no larger arrays"));
    HELIOS_TRY(check(connections >= 1 && connections <= 1024, "connections must be 1 to 1024",
                     "32 or 128 are usual"));
    HELIOS_TRY(check(pipeline_max >= 1 && pipeline_max <= 64, "pipeline must be 1 to 64",
                     "the server handles 64 at once"));
    HELIOS_TRY(check(rate >= 1 && rate <= 10'000'000,
                     "rate must be 1 to 10,000,000 events per second", "start with 5000"));
    HELIOS_TRY(check(duration > Duration{} && duration <= std::chrono::hours(1),
                     "duration must be above 0 and at most 1h", "10s is a start"));
    HELIOS_TRY(check(events_max >= 1 && events_max <= 100'000'000,
                     "events must be 1 to 100,000,000", "memory holds every label"));
    return check(duplicates_per_thousand + late_per_thousand + mismatches_per_thousand <= 1000,
                 "shares of the corpus exceed 1000", "they are per thousand");
}

}  // namespace helios::lab
