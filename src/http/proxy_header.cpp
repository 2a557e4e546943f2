#include "http/proxy_header.h"

#include <algorithm>
#include <charconv>
#include <vector>

namespace helios::http {

namespace {

constexpr std::string_view text_begin = "PROXY ";
constexpr std::size_t text_bytes_max = 107;  // with the line's end
constexpr std::string_view binary_begin("\r\n\r\n\0\r\nQUIT\n", 12);
constexpr std::size_t binary_head_bytes = 16;
constexpr std::size_t binary_rest_max = 4u << 10;

bool begins_alike(std::string_view bytes, std::string_view begin) {
    const auto both = std::min(bytes.size(), begin.size());
    return bytes.substr(0, both) == begin.substr(0, both);
}

std::vector<std::string_view> split(std::string_view line) {
    std::vector<std::string_view> words;
    for (;;) {
        const auto space = line.find(' ');
        words.push_back(line.substr(0, space));
        if (space == std::string_view::npos) {
            return words;
        }
        line.remove_prefix(space + 1);
    }
}

/// A port as version 1 writes it: no sign, no leading zero.
std::optional<std::uint16_t> port_of(std::string_view text) {
    std::uint16_t port = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), port);
    const bool good = ec == std::errc() && end == text.data() + text.size() &&
                      (text.size() == 1 || !text.starts_with('0'));
    return good ? std::optional(port) : std::nullopt;
}

/// Address of exactly that family.
std::optional<AddressBytes> address_of(std::string_view text, bool v6) {
    return (text.find(':') != std::string_view::npos) == v6 ? parse_ip(text) : std::nullopt;
}

}  // namespace

ProxyHeader::Taken ProxyHeader::take(std::string_view arrived) {
    const std::size_t before = bytes_.size();
    const auto room = std::max(text_bytes_max, binary_head_bytes + binary_rest_max) - before;
    bytes_.append(arrived.substr(0, room));
    const auto state = judge();
    const auto all = state == State::complete ? size_ : bytes_.size();
    return {state, all - std::min(all, before)};
}

ProxyHeader::State ProxyHeader::judge() {
    if (!bytes_.empty() && bytes_.front() == text_begin.front()) {
        return judge_text();
    }
    return begins_alike(bytes_, binary_begin) ? judge_binary() : State::malformed;
}

ProxyHeader::State ProxyHeader::judge_text() {
    if (!begins_alike(bytes_, text_begin)) {
        return State::malformed;
    }
    const auto end = bytes_.find("\r\n");
    const bool fits =
        end == std::string::npos ? bytes_.size() < text_bytes_max : end + 2 <= text_bytes_max;
    if (!fits) {
        return State::malformed;
    }
    if (end == std::string::npos) {
        return State::unfinished;
    }
    size_ = end + 2;
    const auto line = std::string_view(bytes_).substr(0, end);
    const auto words = split(line);
    if (words[1] == "UNKNOWN") {  // what stands behind it is to be ignored
        return State::complete;
    }
    const bool v6 = words[1] == "TCP6";
    if ((!v6 && words[1] != "TCP4") || words.size() != 6) {
        return State::malformed;
    }
    const auto source = address_of(words[2], v6);
    const auto port = port_of(words[4]);
    if (!source || !port || !address_of(words[3], v6) || !port_of(words[5])) {
        return State::malformed;
    }
    client_ = Hop{*source, *port};
    return State::complete;
}

ProxyHeader::State ProxyHeader::judge_binary() {
    if (bytes_.size() < binary_head_bytes) {
        return State::unfinished;
    }
    const auto byte = [this](std::size_t at) { return static_cast<unsigned char>(bytes_[at]); };
    const unsigned version = byte(12) >> 4;
    const unsigned command = byte(12) & 0xfu;
    const unsigned family = byte(13) >> 4;
    const unsigned transport = byte(13) & 0xfu;
    const std::size_t rest = static_cast<std::size_t>(byte(14)) << 8 | byte(15);
    constexpr unsigned local = 0;
    constexpr unsigned proxied = 1;
    if (version != 2 || command > proxied || family > 3 || transport > 2 ||
        rest > binary_rest_max) {
        return State::malformed;
    }
    constexpr unsigned v4 = 1;
    constexpr unsigned v6 = 2;
    constexpr unsigned stream = 1;
    const bool known = command != local && transport == stream && (family == v4 || family == v6);
    const std::size_t width = family == v4 ? 4 : 16;
    if (known && rest < 2 * width + 4) {
        return State::malformed;
    }
    size_ = binary_head_bytes + rest;
    if (bytes_.size() < size_) {
        return State::unfinished;
    }
    if (known) {
        Hop hop;
        if (family == v4) {
            hop.address = *parse_ip("0.0.0.0");
        }
        std::copy_n(bytes_.begin() + binary_head_bytes, width, hop.address.end() - width);
        const std::size_t port_at = binary_head_bytes + 2 * width;
        hop.port = static_cast<std::uint16_t>(byte(port_at) << 8 | byte(port_at + 1));
        client_ = hop;
    }
    return State::complete;
}

}  // namespace helios::http
