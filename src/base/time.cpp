#include "base/time.h"

#include <array>
#include <fmt/format.h>
#include <limits>

#include "base/rfc3339.h"

namespace helios {
namespace {

__extension__ typedef __int128 Int128;

constexpr std::int64_t second_ns = 1'000'000'000;

std::unexpected<Error> bad_time(std::string_view text, std::string_view why) {
    return fail(ErrorKind::invalid, fmt::format("time \"{}\" {}", text.substr(0, 64), why),
                "write RFC 3339, for example 2026-01-05T10:23:45.120Z");
}

/// Reads from the front; every read says whether it succeeded.
struct Cursor {
    std::string_view rest;

    bool digits(int count, int& out) {
        if (rest.size() < static_cast<std::size_t>(count)) {
            return false;
        }
        out = 0;
        for (int i = 0; i < count; ++i) {
            const char c = rest[static_cast<std::size_t>(i)];
            if (c < '0' || c > '9') {
                return false;
            }
            out = out * 10 + (c - '0');
        }
        rest.remove_prefix(static_cast<std::size_t>(count));
        return true;
    }
    bool one_of(std::string_view choices) {
        if (rest.empty() || choices.find(rest.front()) == std::string_view::npos) {
            return false;
        }
        rest.remove_prefix(1);
        return true;
    }
};

struct Fields {
    int year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0;
    std::int64_t fraction_ns = 0;
    int offset_minutes = 0;
    bool had_zone = true;
};

bool read_fraction(Cursor& in, std::int64_t& nanos) {
    nanos = 0;
    if (!in.one_of(".")) {
        return true;
    }
    std::int64_t weight = second_ns / 10;
    bool any = false;
    while (!in.rest.empty() && in.rest.front() >= '0' && in.rest.front() <= '9') {
        nanos += (in.rest.front() - '0') * weight;
        weight /= 10;  // becomes 0 after nanoseconds: the rest is truncated
        in.rest.remove_prefix(1);
        any = true;
    }
    return any;
}

bool read_zone(Cursor& in, Fields& f) {
    if (in.rest.empty()) {
        f.had_zone = false;
        return true;
    }
    if (in.one_of("Zz")) {
        return in.rest.empty();
    }
    const bool west = in.rest.front() == '-';
    int hours = 0;
    int minutes = 0;
    if (!in.one_of("+-") || !in.digits(2, hours)) {
        return false;
    }
    in.one_of(":");
    if (!in.digits(2, minutes) || !in.rest.empty() || hours > 23 || minutes > 59) {
        return false;
    }
    f.offset_minutes = (west ? -1 : 1) * (hours * 60 + minutes);
    return true;
}

bool read_fields(std::string_view text, Fields& f) {
    Cursor in{text};
    return in.digits(4, f.year) && in.one_of("-") && in.digits(2, f.month) && in.one_of("-") &&
           in.digits(2, f.day) && in.one_of("Tt ") && in.digits(2, f.hour) && in.one_of(":") &&
           in.digits(2, f.minute) && in.one_of(":") && in.digits(2, f.second) &&
           read_fraction(in, f.fraction_ns) && read_zone(in, f);
}

struct Unit {
    std::string_view name;
    std::int64_t nanos;
};
constexpr std::array<Unit, 7> units = {{{"d", 86'400 * second_ns},
                                        {"h", 3'600 * second_ns},
                                        {"m", 60 * second_ns},
                                        {"s", second_ns},
                                        {"ms", 1'000'000},
                                        {"us", 1'000},
                                        {"ns", 1}}};

std::unexpected<Error> bad_duration(std::string_view text, std::string_view why) {
    return fail(
        ErrorKind::invalid, fmt::format("duration \"{}\" {}", text.substr(0, 64), why),
        "write a number and a unit (ns, us, ms, s, m, h, d), for example 250ms, 60s or 1m30s");
}

std::size_t count_digits(std::string_view text) {
    std::size_t n = 0;
    while (n < text.size() && text[n] >= '0' && text[n] <= '9') {
        ++n;
    }
    return n;
}

}  // namespace

std::expected<ParsedTime, TimeFault> read_rfc3339(std::string_view text) {
    Fields f;
    if (!read_fields(text, f)) {
        return std::unexpected(TimeFault::form);
    }
    const std::chrono::year_month_day date{std::chrono::year{f.year},
                                           std::chrono::month{static_cast<unsigned>(f.month)},
                                           std::chrono::day{static_cast<unsigned>(f.day)}};
    if (!date.ok()) {
        return std::unexpected(TimeFault::date);
    }
    if (f.hour > 23 || f.minute > 59 || f.second > 60) {
        return std::unexpected(TimeFault::clock);
    }

    // Minutes first, in 64 bits: the years 0000 to 9999 do not fit int64 nanoseconds.
    const std::int64_t days = std::chrono::sys_days{date}.time_since_epoch().count();
    const std::int64_t minutes = days * 1'440 + f.hour * 60 + f.minute - f.offset_minutes;
    constexpr std::int64_t minutes_end = to_nanos(latest_instant) / second_ns / 60;
    if (minutes < 0 || minutes >= minutes_end) {
        return std::unexpected(TimeFault::range);
    }
    if (f.second == 60) {
        if (minutes % 1'440 != 1'439) {
            return std::unexpected(TimeFault::leap_second);
        }
        f.second = 59;
        f.fraction_ns = second_ns - 1;
    }
    return ParsedTime{from_nanos((minutes * 60 + f.second) * second_ns + f.fraction_ns),
                      f.had_zone};
}

Result<ParsedTime> parse_rfc3339(std::string_view text) {
    const auto read = read_rfc3339(text);
    if (read) {
        return *read;
    }
    switch (read.error()) {
        case TimeFault::date:
            return bad_time(text, "names a day that does not exist");
        case TimeFault::clock:
            return bad_time(text, "names an hour, minute or second that does not exist");
        case TimeFault::leap_second:
            return bad_time(text, "has second 60, but leap seconds are at 23:59 UTC only");
        case TimeFault::range:
            return bad_time(text, "is outside 1970-01-01 to 2199-12-31");
        case TimeFault::form:
            break;
    }
    return bad_time(text, "is not an RFC 3339 date-time");
}

std::string format_rfc3339(Instant t) {
    // Not std::chrono::floor: it overflows within a day of the least instant.
    constexpr std::int64_t day_ns = 86'400 * second_ns;
    std::int64_t in_day = to_nanos(t) % day_ns;
    if (in_day < 0) {
        in_day += day_ns;
    }
    const std::int64_t day = to_nanos(t) / day_ns - (to_nanos(t) % day_ns < 0 ? 1 : 0);
    const std::chrono::year_month_day date{std::chrono::sys_days{std::chrono::days{day}}};
    const std::int64_t seconds = in_day / second_ns;
    const std::int64_t nanos = in_day % second_ns;
    char text[sizeof "2026-01-05T12:00:00.000000000Z"];
    char* out = text;
    const auto digits = [&out](std::int64_t value, int count, char behind) {
        for (int i = count; i-- > 0; value /= 10) {
            out[i] = static_cast<char>('0' + value % 10);
        }
        out[count] = behind;
        out += count + 1;
    };
    digits(static_cast<int>(date.year()), 4, '-');
    digits(static_cast<unsigned>(date.month()), 2, '-');
    digits(static_cast<unsigned>(date.day()), 2, 'T');
    digits(seconds / 3'600, 2, ':');
    digits(seconds / 60 % 60, 2, ':');
    digits(seconds % 60, 2, '.');
    if (nanos % 1'000'000 == 0) {
        digits(nanos / 1'000'000, 3, 'Z');
    } else if (nanos % 1'000 == 0) {
        digits(nanos / 1'000, 6, 'Z');
    } else {
        digits(nanos, 9, 'Z');
    }
    return std::string(text, out);
}

Result<Duration> parse_duration(std::string_view text) {
    std::string_view rest = text;
    if (rest.empty()) {
        return bad_duration(text, "is empty");
    }
    if (rest.starts_with('-')) {
        return bad_duration(text, "is negative");
    }
    std::int64_t total = 0;
    std::size_t next_unit = 0;  // units come largest first, each at most once
    while (!rest.empty()) {
        const std::size_t whole = count_digits(rest);
        std::string_view digits = rest.substr(0, whole);
        rest.remove_prefix(whole);
        std::string_view fraction;
        if (rest.starts_with('.')) {
            fraction = rest.substr(1, count_digits(rest.substr(1)));
            rest.remove_prefix(1 + fraction.size());
            if (fraction.empty()) {
                return bad_duration(text, "has a point without digits after it");
            }
        }
        if (digits.empty()) {
            return bad_duration(text, "is not a number with a unit");
        }
        std::size_t name = 0;
        while (name < rest.size() && rest[name] >= 'a' && rest[name] <= 'z') {
            ++name;
        }
        std::size_t u = next_unit;
        while (u < units.size() && units[u].name != rest.substr(0, name)) {
            ++u;
        }
        if (name == 0) {
            return bad_duration(text, "has no unit");
        }
        if (u == units.size()) {
            return bad_duration(text, "has an unknown unit, or units not from large to small");
        }
        rest.remove_prefix(name);
        next_unit = u + 1;

        constexpr Int128 max = std::numeric_limits<std::int64_t>::max();
        Int128 amount = 0;
        for (const char c : digits) {
            amount = amount * 10 + (c - '0');
            if (amount > max) {
                return bad_duration(text, "is too long");
            }
        }
        amount *= units[u].nanos;
        Int128 weight = units[u].nanos;
        for (const char c : fraction) {
            if (c != '0' && weight % 10 != 0) {
                return bad_duration(text, "is finer than a nanosecond");
            }
            weight /= 10;
            amount += (c - '0') * weight;
        }
        if (amount > max - total) {
            return bad_duration(text, "is too long");
        }
        total += static_cast<std::int64_t>(amount);
    }
    return Duration{total};
}

std::string format_duration(Duration d) {
    if (d.count() == 0) {
        return "0s";
    }
    const std::string sign = d.count() < 0 ? "-" : "";
    const std::uint64_t n = d.count() < 0 ? 0 - static_cast<std::uint64_t>(d.count())
                                          : static_cast<std::uint64_t>(d.count());
    if (n > static_cast<std::uint64_t>(second_ns) && n % second_ns != 0) {
        std::string fraction = fmt::format("{:09}", n % second_ns);
        fraction.erase(fraction.find_last_not_of('0') + 1);
        return fmt::format("{}{}.{}s", sign, n / second_ns, fraction);
    }
    for (const Unit& unit : units) {
        const auto nanos = static_cast<std::uint64_t>(unit.nanos);
        if (n % nanos == 0) {
            return fmt::format("{}{}{}", sign, n / nanos, unit.name);
        }
    }
    return {};
}

}  // namespace helios
