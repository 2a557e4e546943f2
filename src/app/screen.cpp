#include "app/screen.h"

#include <algorithm>
#include <cctype>
#include <charconv>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/ascii.h"

namespace helios::app {
namespace {

constexpr std::size_t columns_default = 80;
constexpr std::size_t columns_min = 20;  // below it nothing can be laid out

std::string_view variable(const Environment& environment, const char* name) {
    const auto found = environment.find(name);
    return found == environment.end() ? std::string_view() : std::string_view(found->second);
}

/// As libraries of C have it: the first of the three that is set decides, and what is not set is
/// "C".
bool is_utf8(const Environment& environment) {
    for (const auto* name : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        if (const auto value = variable(environment, name); !value.empty()) {
            const auto lower = ascii::lower(value);
            return lower.find("utf-8") != std::string::npos ||
                   lower.find("utf8") != std::string::npos;
        }
    }
    return false;
}

std::size_t columns_at(int descriptor, const Environment& environment) {
    std::size_t columns = 0;
    const auto wanted = variable(environment, "COLUMNS");
    std::from_chars(wanted.data(), wanted.data() + wanted.size(), columns);
    winsize size{};
    if (columns == 0 && ioctl(descriptor, TIOCGWINSZ, &size) == 0) {
        columns = size.ws_col;
    }
    return std::max(columns == 0 ? columns_default : columns, columns_min);
}

}  // namespace

Screen screen_of(int descriptor, const Environment& environment) {
    Screen screen;
    screen.ascii = !is_utf8(environment);
    if (isatty(descriptor) != 1) {
        return screen;
    }
    const auto term = variable(environment, "TERM");
    screen.rewrites = !term.empty() && term != "dumb";
    screen.colour = screen.rewrites && variable(environment, "NO_COLOR").empty();
    screen.columns = columns_at(descriptor, environment);
    return screen;
}

}  // namespace helios::app
