#pragma once
/// How often what a source sent was refused since this process began, by why. What was wrong with
/// credentials is counted by those who check them (sender_checks.h).

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/mutex.h"
#include "base/time.h"

namespace helios::gateway {

/// Words for every way in which a request, or one of its items, is refused at the door.
namespace refusal {
inline constexpr std::string_view overload = "overload";      ///< it would wait too long
inline constexpr std::string_view overdue = "overdue";        ///< it did wait too long
inline constexpr std::string_view not_ready = "not_ready";    ///< starting, or something has failed
inline constexpr std::string_view stopping = "stopping";      ///< the server shuts down
inline constexpr std::string_view disk = "disk";              ///< full, or it fails
inline constexpr std::string_view dlq_full = "dlq_full";      ///< no room in quarantine
inline constexpr std::string_view no_room = "no_room";        ///< another bound somebody has set
inline constexpr std::string_view rate = "rate";              ///< faster than it may be
inline constexpr std::string_view topic = "topic";            ///< not on the list
inline constexpr std::string_view source = "source";          ///< its credential speaks for others
inline constexpr std::string_view too_large = "too_large";    ///< above a limit
inline constexpr std::string_view unreadable = "unreadable";  ///< no JSON, or no envelope
inline constexpr std::string_view media_type = "media_type";  ///< a Content-Type that is not read
}  // namespace refusal

struct Refused {
    std::string reason;
    std::uint64_t count = 0;
    Instant last_at{};
};

/// Thread-safe. Whoever notes has bounded the sources; reasons are those above.
class RefusalCounts {
public:
    void note(std::string_view source, std::string_view reason, Instant at);
    /// By reason.
    std::vector<Refused> of(std::string_view source) const;

private:
    struct Entry {
        std::uint64_t count = 0;
        Instant last_at{};
    };
    mutable Mutex mutex_;
    std::map<std::string, std::map<std::string, Entry, std::less<>>, std::less<>> entries_
        HELIOS_GUARDED_BY(mutex_);
};

}  // namespace helios::gateway
