#include "lab/process_time.h"

#include <algorithm>
#include <charconv>
#include <fmt/format.h>
#include <fstream>
#include <iterator>
#include <string>
#include <sys/resource.h>
#include <unistd.h>

namespace helios::lab {

std::optional<double> seconds_in_stat(std::string_view stat, double ticks_per_second) {
    std::size_t at = stat.rfind(')');  // after the name, fields are numbers apart from the state
    if (at == std::string_view::npos) {
        return std::nullopt;
    }
    // proc(5) numbers its fields from 1; what follows the name begins with field 3. utime is 14,
    // stime 15.
    std::uint64_t ticks = 0;
    stat.remove_prefix(at + 1);
    for (int field = 3; field <= 15; ++field) {
        if (stat.empty() || stat.front() != ' ') {
            return std::nullopt;
        }
        std::size_t end = std::min(stat.find(' ', 1), stat.size());
        std::string_view word = stat.substr(1, end - 1);
        std::uint64_t value = 0;
        if (field >= 14) {
            if (std::from_chars(word.data(), word.data() + word.size(), value).ec != std::errc{}) {
                return std::nullopt;
            }
            ticks += value;
        }
        stat.remove_prefix(end);
    }
    return static_cast<double>(ticks) / ticks_per_second;
}

std::optional<double> process_seconds(std::int64_t pid) {
    std::ifstream file(fmt::format("/proc/{}/stat", pid));
    std::string stat((std::istreambuf_iterator<char>(file)), {});
    return seconds_in_stat(stat, static_cast<double>(sysconf(_SC_CLK_TCK)));
}

double own_process_seconds() {
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    auto seconds = [](const timeval& t) {
        return static_cast<double>(t.tv_sec) + static_cast<double>(t.tv_usec) / 1e6;
    };
    return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

unsigned cores() {
    return static_cast<unsigned>(sysconf(_SC_NPROCESSORS_ONLN));
}

}  // namespace helios::lab
