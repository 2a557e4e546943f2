#include "api/barrier.h"

#include <algorithm>
#include <fmt/format.h>
#include <initializer_list>
#include <optional>
#include <string_view>

#include "base/patience.h"
#include "log/synchronous.h"
#include "model/topics.h"

namespace helios::api {
namespace {

/// Waits of one read share one limit, and end with the patience of whoever asks.
class Waiting {
public:
    Waiting(const Clock& clock, Duration limit)
        : clock_(clock), deadline_(std::min(clock.monotonic() + limit, current_patience().until)) {}

    /// Where what the stage made of all that lies below these ends.
    Result<log::Offsets> until(std::string_view name, const StageProgress& stage,
                               std::initializer_list<const log::Offsets*> ends) const {
        std::optional<log::Offsets> written;
        for (const log::Offsets* to : ends) {
            written = wait(stage.reached, *to);
            if (!written) {
                if (current_patience().is_gone()) {
                    return given_up();
                }
                return fail(
                    ErrorKind::unavailable,
                    fmt::format("{} has not yet consumed everything that was acknowledged "
                                "before this read: it {}, this read asks for {}",
                                name, Barrier::standing(stage), Barrier::lacking(stage, *to)),
                    "retry: nothing is lost, the answer is on its way");
            }
        }
        return *std::move(written);
    }

private:
    /// In pieces, since whoever asks may end the connection meanwhile.
    std::optional<log::Offsets> wait(const log::Reached& reached, const log::Offsets& to) const {
        constexpr Duration piece_max = std::chrono::milliseconds(50);
        Duration left = std::max(Duration::zero(), deadline_ - clock_.monotonic());
        for (;;) {
            const Duration piece = std::min(left, piece_max);
            auto written = reached.wait_for(to, piece);
            left -= piece;
            if (written || left == Duration::zero() || current_patience().is_gone()) {
                return written;
            }
        }
    }

    const Clock& clock_;
    const Duration deadline_;
};

}  // namespace

Barrier::Barrier(log::Catalogue& log, StageProgress route, StageProgress engine,
                 StageProgress store, const Clock& clock)
    : log_(log),
      route_(route),
      engine_(engine),
      store_(store),
      clock_(clock),
      acknowledged_(log::beginning_of(
          log,
          {model::topic::orders, model::topic::payments, model::topic::inventory,
           model::topic::other, model::topic::dlq, model::topic::flows, model::topic::verdicts})),
      all_(acknowledged_) {
    log::add_to(all_, log::beginning_of(log, {model::topic::cases, model::topic::counts}));
}

std::string Barrier::standing(const StageProgress& stage) {
    const Instant at = stage.frontier.get();
    return at == Instant{} ? "has read nothing yet" : "has come to " + format_rfc3339(at);
}

std::string Barrier::lacking(const StageProgress& stage, const log::Offsets& to) {
    const auto id = stage.reached.missing(to);
    if (!id) {
        return {};
    }
    const auto consumed = stage.reached.get().consumed;
    const auto at = consumed.find(*id);
    return fmt::format(
        "{}/{} up to offset {}{}", model::name_of(id->topic), id->index, to.at(*id).value,
        at == consumed.end() ? std::string()
                             : fmt::format(", where it stands at {}", at->second.value));
}

Status Barrier::wait(const log::Offsets& to, Duration limit) const {
    const Waiting waiting(clock_, limit);
    HELIOS_TRY_ASSIGN(const auto routed, waiting.until("route", route_, {&to}));
    HELIOS_TRY_ASSIGN(const auto judged, waiting.until("engine", engine_, {&to, &routed}));
    HELIOS_TRY(waiting.until("store", store_, {&to, &routed, &judged}));
    return {};
}

Status Barrier::wait_stored(const log::Offsets& to, Duration limit) const {
    HELIOS_TRY(Waiting(clock_, limit).until("store", store_, {&to}));
    return {};
}

}  // namespace helios::api
