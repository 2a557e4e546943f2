#include "http/outgoing.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <chrono>
#include <fmt/format.h>

#include "http/url.h"

namespace helios::http {

namespace {

constexpr std::size_t copied_body_bytes_max =
    16u << 10;  // beyond this a copy costs more than another iovec
constexpr std::size_t kept_capacity_bytes_max =
    64u << 10;  // an idle connection keeps no more than this

bool has_body(int status) {
    return status >= 200 && status != 204 && status != 304;
}

void append_number(std::string& out, std::size_t number) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

/// A handler that passes on outside text must not be able to start a new header.
void append_header_text(std::string& out, std::string_view text) {
    if (text.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos) {
        out += text;
        return;
    }
    for (const char c : text) {
        out += c == '\r' || c == '\n' || c == '\0' ? ' ' : c;
    }
}

bool is_ours(std::string_view name) {
    return equal_ignoring_case(name, "Content-Length") || equal_ignoring_case(name, "Date") ||
           equal_ignoring_case(name, "Connection") ||
           equal_ignoring_case(name, "Transfer-Encoding");
}

}  // namespace

std::string_view reason_phrase(int status) {
    switch (status) {
        case 200:
            return "OK";
        case 201:
            return "Created";
        case 202:
            return "Accepted";
        case 204:
            return "No Content";
        case 301:
            return "Moved Permanently";
        case 302:
            return "Found";
        case 303:
            return "See Other";
        case 304:
            return "Not Modified";
        case 307:
            return "Temporary Redirect";
        case 308:
            return "Permanent Redirect";
        case 400:
            return "Bad Request";
        case 401:
            return "Unauthorized";
        case 403:
            return "Forbidden";
        case 404:
            return "Not Found";
        case 405:
            return "Method Not Allowed";
        case 406:
            return "Not Acceptable";
        case 408:
            return "Request Timeout";
        case 409:
            return "Conflict";
        case 410:
            return "Gone";
        case 411:
            return "Length Required";
        case 412:
            return "Precondition Failed";
        case 413:
            return "Content Too Large";
        case 414:
            return "URI Too Long";
        case 415:
            return "Unsupported Media Type";
        case 417:
            return "Expectation Failed";
        case 421:
            return "Misdirected Request";
        case 422:
            return "Unprocessable Content";
        case 426:
            return "Upgrade Required";
        case 429:
            return "Too Many Requests";
        case 431:
            return "Request Header Fields Too Large";
        case 500:
            return "Internal Server Error";
        case 501:
            return "Not Implemented";
        case 502:
            return "Bad Gateway";
        case 503:
            return "Service Unavailable";
        case 504:
            return "Gateway Timeout";
        case 505:
            return "HTTP Version Not Supported";
        default:
            return "Status";
    }
}

std::string format_http_date(Instant t) {
    constexpr std::array<std::string_view, 7> days = {"Sun", "Mon", "Tue", "Wed",
                                                      "Thu", "Fri", "Sat"};
    constexpr std::array<std::string_view, 12> months = {"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                         "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
    const auto day = std::chrono::floor<std::chrono::days>(t);
    const std::chrono::year_month_day date(day);
    const std::chrono::hh_mm_ss time(std::chrono::floor<std::chrono::seconds>(t - day));
    return fmt::format("{}, {:02} {} {:04} {:02}:{:02}:{:02} GMT",
                       days[std::chrono::weekday(day).c_encoding()], unsigned{date.day()},
                       months[unsigned{date.month()} - 1], int{date.year()}, time.hours().count(),
                       time.minutes().count(), time.seconds().count());
}

std::string& Outgoing::tail() {
    if (pieces_.empty() || !pieces_.back().open) {
        pieces_.emplace_back();
    }
    return pieces_.back().bytes;
}

void Outgoing::append_raw(std::string_view bytes) {
    tail() += bytes;
    size_ += bytes.size();
}

void end_json_in_a_line(Response& response) {
    if (response.body.empty() || response.body.back() == '\n') {
        return;
    }
    bool is_json = false;
    for (const auto& [name, value] : response.headers) {
        if (equal_ignoring_case(name, "Content-Encoding")) {
            return;
        }
        is_json = is_json || (equal_ignoring_case(name, "Content-Type") &&
                              (value.starts_with("application/json") ||
                               value.starts_with("application/problem+json")));
    }
    if (is_json) {
        response.body += '\n';
    }
}

void Outgoing::append(Response response, const Framing& framing, std::string_view date) {
    end_json_in_a_line(response);
    std::string& out = tail();
    const std::size_t before = out.size();
    const int status = response.status >= 200 && response.status <= 599 ? response.status : 500;
    out += "HTTP/1.1 ";
    append_number(out, static_cast<std::size_t>(status));
    out += ' ';
    out += reason_phrase(status);
    out += "\r\nDate: ";
    out += date;
    if (has_body(status)) {
        out += "\r\nContent-Length: ";
        append_number(out, response.body.size());
    }
    if (status == 426) {
        out += framing.keep_alive ? "\r\nConnection: upgrade"
                                  : "\r\nConnection: upgrade, close";  // RFC 9110 7.8
    } else if (!framing.keep_alive) {
        out += "\r\nConnection: close";
    } else if (framing.http_1_0) {
        out += "\r\nConnection: keep-alive";
    }
    bool says_who_may_keep_it = status < 400;  // an answer of ours that no handler saw, too
    for (const auto& [name, value] : response.headers) {
        if (is_ours(name)) {
            continue;
        }
        says_who_may_keep_it = says_who_may_keep_it || equal_ignoring_case(name, "Cache-Control");
        out += "\r\n";
        append_header_text(out, name);
        out += ": ";
        append_header_text(out, value);
    }
    if (!says_who_may_keep_it) {
        out += "\r\nCache-Control: no-store";
    }
    out += "\r\n\r\n";
    const bool sends_body = has_body(status) && !framing.head && !response.body.empty();
    if (sends_body && response.body.size() <= copied_body_bytes_max) {
        out += response.body;
    }
    size_ += out.size() - before;
    if (sends_body && response.body.size() > copied_body_bytes_max) {
        size_ += response.body.size();
        pieces_.back().open = false;
        pieces_.push_back({std::move(response.body), false});
    }
}

void Outgoing::consume(std::size_t bytes) {
    size_ -= bytes;
    while (bytes > 0) {
        const std::size_t left = pieces_[first_].bytes.size() - offset_;
        if (bytes < left) {
            offset_ += bytes;
            return;
        }
        bytes -= left;
        offset_ = 0;
        pieces_[first_].bytes = size_ == 0 ? std::move(pieces_[first_].bytes)
                                           : std::string();  // memory goes as it is sent
        ++first_;
    }
    if (size_ != 0) {
        return;
    }
    // All sent: keep one buffer for the next responses, if it is small.
    first_ = 0;
    const bool reusable =
        pieces_.front().open && pieces_.front().bytes.capacity() <= kept_capacity_bytes_max;
    pieces_.resize(reusable ? 1 : 0);
    if (reusable) {
        pieces_.front().bytes.clear();
    }
}

}  // namespace helios::http
