#include "app/setting.h"

#include <algorithm>

#include "base/ascii.h"

namespace helios::app {
namespace {

constexpr std::array<std::pair<std::string_view, std::size_t>, 4> byte_units{
    {{"GiB", 1u << 30}, {"MiB", 1u << 20}, {"KiB", 1u << 10}, {"B", 1}}};

}  // namespace

Result<std::size_t> parse_bytes(std::string_view text) {
    std::size_t unit = 1;
    std::string_view digits = text;
    for (const auto& [name, factor] : byte_units) {
        if (text.ends_with(name)) {
            unit = factor;
            digits.remove_suffix(name.size());
            break;
        }
    }
    const auto value = parse_integer<std::size_t>(digits);
    if (!value || *value > std::numeric_limits<std::size_t>::max() / unit) {
        return fail(ErrorKind::invalid, fmt::format("\"{}\" is not a size", text),
                    "write 64KiB, 16MiB, 1GiB or a number of bytes");
    }
    return *value * unit;
}

std::string format_bytes(std::size_t bytes) {
    for (const auto& [name, factor] : byte_units) {
        if (bytes >= factor && bytes % factor == 0) {
            return fmt::format("{}{}", bytes / factor, name);
        }
    }
    return fmt::format("{}B", bytes);
}

std::vector<std::string> split_list(const std::string& text) {
    std::vector<std::string> out;
    std::size_t begin = 0;
    while (begin <= text.size()) {
        auto end = std::min(text.find(',', begin), text.size());
        auto item = std::string_view(text).substr(begin, end - begin);
        while (item.starts_with(' ')) {
            item.remove_prefix(1);
        }
        while (item.ends_with(' ')) {
            item.remove_suffix(1);
        }
        if (!item.empty()) {
            out.emplace_back(item);
        }
        begin = end + 1;
    }
    return out;
}

gateway::AllowList parse_allow_list(const std::string& text) {
    if (text.empty()) {
        return std::nullopt;
    }
    return text == empty_list ? std::vector<std::string>() : split_list(text);
}

std::string format_allow_list(const gateway::AllowList& list) {
    if (!list) {
        return "";
    }
    return list->empty() ? std::string(empty_list) : fmt::format("{}", fmt::join(*list, ", "));
}

std::string environment_name(std::string_view key) {
    std::string name = "HELIOS_";
    for (const char c : key) {
        name += c == '.' ? '_' : ascii::upper(c);
    }
    return name;
}

}  // namespace helios::app
