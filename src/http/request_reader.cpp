#include "http/request_reader.h"

#include <algorithm>
#include <boost/beast/http/basic_parser.hpp>
#include <fmt/format.h>

#include "http/coding.h"
#include "http/url.h"

namespace helios::http {

namespace {

namespace beast_http = boost::beast::http;
using boost::beast::error_code;
using BeastView = boost::beast::string_view;

constexpr std::size_t body_bytes_reserved_at_once =
    16u << 10;  // beyond, memory is taken as bytes arrive, not as announced
constexpr std::size_t header_bytes_free =
    4u << 10;  // larger header blocks count against the byte budget

std::string_view view(BeastView text) {
    return {text.data(), text.size()};
}

/// nullopt: TRACE, CONNECT, and all that we do not know.
std::optional<Method> method_of(beast_http::verb verb) {
    switch (verb) {
        case beast_http::verb::get:
            return Method::get;
        case beast_http::verb::head:
            return Method::head;
        case beast_http::verb::post:
            return Method::post;
        case beast_http::verb::put:
            return Method::put;
        case beast_http::verb::patch:
            return Method::patch;
        case beast_http::verb::delete_:
            return Method::delete_;
        case beast_http::verb::options:
            return Method::options;
        default:
            return std::nullopt;
    }
}

/// A request line that is well-formed but for the version: "GET / HTTP/2.0".
bool names_other_version(std::string_view block) {
    const auto line = block.substr(0, block.find("\r\n"));
    const auto version = line.substr(std::min(line.size(), line.rfind(' ') + 1));
    return version.starts_with("HTTP/") && version != "HTTP/1.1" && version != "HTTP/1.0";
}

/// Whether a method may begin so (RFC 9110 5.6.2).
bool is_token_char(char c) {
    const char lower = static_cast<char>(c | 0x20);
    return (lower >= 'a' && lower <= 'z') || (c >= '0' && c <= '9') ||
           (c != '\0' && std::string_view("!#$%&'*+-.^_`|~").find(c) != std::string_view::npos);
}

/// "GET /" alone, as before HTTP/1.0, or another protocol's line.
bool names_no_version(std::string_view request_line) {
    const auto blank = request_line.rfind(' ');
    return blank == std::string_view::npos || !request_line.substr(blank + 1).starts_with("HTTP/");
}

constexpr std::string_view folded = "a header continues on a second line";

bool has_folded_line(std::string_view head) {
    for (auto at = head.find("\r\n"); at != std::string_view::npos;
         at = head.find("\r\n", at + 2)) {
        if (at + 2 < head.size() && (head[at + 2] == ' ' || head[at + 2] == '\t')) {
            return true;
        }
    }
    return false;
}

/// A line feed alone ends no line here, though elsewhere it may.
bool has_bare_line_feed(std::string_view lines) {
    for (auto at = lines.find('\n'); at != std::string_view::npos; at = lines.find('\n', at + 1)) {
        if (at == 0 || lines[at - 1] != '\r') {
            return true;
        }
    }
    return false;
}

Response bad_request(std::string_view detail, std::string_view hint = {}) {
    return problem(400, "Bad request", detail, hint);
}

Response header_too_large(std::size_t bytes_max) {
    return problem(431, "Header too large",
                   fmt::format("request line and headers may have {} bytes together", bytes_max));
}

}  // namespace

/// Beast's tokeniser with our callbacks. One per connection, renewed for each request (Beast's
/// cannot be used twice).
class RequestReader::Parser {
public:
    explicit Parser(RequestReader& reader) : reader_(reader) {}
    void renew() {
        tokens_.emplace(reader_);
        tokens_->header_limit(static_cast<std::uint32_t>(reader_.options_.header_bytes_max));
        tokens_->body_limit(boost::none);  // per route: see take()
    }

    struct Tokens final : beast_http::basic_parser<true> {
        explicit Tokens(RequestReader& r) : reader(r) {}

        RequestReader& reader;
        int traces = 0;
        int origins = 0;
        int fetch_sites = 0;
        bool length_seen = false;
        bool encoding_seen = false;
        bool coding_seen = false;

        void refuse(error_code& ec, Response response) {
            reader.refuse(std::move(response));
            ec = beast_http::error::bad_field;  // any error stops Beast; ours is what the client
                                                // gets
        }
        void on_request_impl(beast_http::verb verb, BeastView name, BeastView target, int version,
                             error_code&) override {
            if (const auto method = method_of(verb)) {
                reader.request_.method = *method;
            } else {
                reader.head_.other_method = view(name);
            }
            reader.head_.target = view(target);
            reader.head_.http_1_0 = version == 10;
        }
        void on_field_impl(beast_http::field field, BeastView name, BeastView value,
                           error_code& ec) override {
            if (!is_header_done()) {  // else a trailer: read past, never kept
                on_header_field(field, view(name), view(value), ec);
            }
        }
        void on_header_field(beast_http::field field, std::string_view name, std::string_view value,
                             error_code& ec);
        std::size_t on_body_impl(BeastView bytes, error_code& ec) override {
            return take(view(bytes), ec);
        }
        std::size_t on_chunk_body_impl(std::uint64_t, BeastView bytes, error_code& ec) override {
            return take(view(bytes), ec);
        }
        std::size_t take(std::string_view bytes, error_code& ec);
        void on_header_impl(error_code&) override {}
        void on_body_init_impl(const boost::optional<std::uint64_t>&, error_code&) override {}
        void on_chunk_header_impl(std::uint64_t bytes, BeastView extension,
                                  error_code& ec) override;
        void on_finish_impl(error_code&) override {}
        void on_response_impl(int, BeastView, int, error_code&) override {}
    };
    Tokens& tokens() { return *tokens_; }

private:
    RequestReader& reader_;
    std::optional<Tokens> tokens_;
};

void RequestReader::Parser::Tokens::on_header_field(beast_http::field field, std::string_view name,
                                                    std::string_view value, error_code& ec) {
    RequestHead& head = reader.head_;
    Request& request = reader.request_;
    if (request.headers.size() == reader.options_.header_fields_max) {
        return refuse(
            ec, problem(431, "Too many header fields",
                        fmt::format("at most {} are read", reader.options_.header_fields_max)));
    }
    switch (field) {
        case beast_http::field::host:
            if (std::exchange(head.host_seen, true)) {
                return refuse(ec, bad_request("more than one Host header"));
            }
            head.host = value;
            break;
        case beast_http::field::content_length:
            if (std::exchange(length_seen, true) || encoding_seen || value.empty() ||
                value.find_first_not_of("0123456789") != value.npos) {
                return refuse(ec, bad_request("Content-Length must be one number, and alone"));
            }
            break;
        case beast_http::field::transfer_encoding:
            if (std::exchange(encoding_seen, true) || length_seen || head.http_1_0 ||
                !equal_ignoring_case(value, "chunked")) {
                return refuse(
                    ec, bad_request(
                            "Transfer-Encoding must be 'chunked', once, without Content-Length"));
            }
            break;
        case beast_http::field::expect:
            (equal_ignoring_case(value, "100-continue") ? head.expects_continue
                                                        : head.expects_other) = true;
            break;
        case beast_http::field::content_encoding:
            head.gzip = !std::exchange(coding_seen, true) && is_gzip(value);
            head.encoded =
                head.encoded || !(value.empty() || equal_ignoring_case(value, "identity"));
            break;
        case beast_http::field::origin:
            head.origin_twice = head.origin_twice || ++origins > 1;
            break;
        default:
            if (equal_ignoring_case(name, "sec-fetch-site")) {
                head.origin_twice = head.origin_twice || ++fetch_sites > 1;
            } else if (equal_ignoring_case(name, "traceparent")) {
                // Of two, neither can be trusted.
                request.trace = ++traces == 1 ? telemetry::parse_traceparent(value) : std::nullopt;
            }
    }
    request.headers.emplace_back(name, value);
}

/// What could not be taken is refused when it is announced.
void RequestReader::Parser::Tokens::on_chunk_header_impl(std::uint64_t bytes, BeastView extension,
                                                         error_code& ec) {
    const std::size_t held = reader.request_.body.size();
    if (bytes > reader.body_bytes_max_ - std::min(held, reader.body_bytes_max_)) {
        refuse(ec, too_large(reader.body_bytes_max_));
    } else if (view(extension).find_first_of("\r\n") != std::string_view::npos) {
        refuse(ec, bad_request("a chunk's head goes on in a second line"));
    }
}

std::size_t RequestReader::Parser::Tokens::take(std::string_view bytes, error_code& ec) {
    std::string& body = reader.request_.body;
    const std::size_t needed = body.size() + bytes.size();
    if (needed > reader.body_bytes_max_) {
        refuse(ec, too_large(reader.body_bytes_max_));
        return 0;
    }
    if (needed > body.capacity() && !reader.make_room(needed)) {
        refuse(ec, no_room());
        return 0;
    }
    body += bytes;
    return bytes.size();
}

RequestReader::RequestReader(const ServerOptions& options, ByteBudget& budget)
    : options_(options),
      budget_(budget),
      parser_(std::make_unique<Parser>(*this)),
      charge_(budget) {}

RequestReader::~RequestReader() = default;

Response RequestReader::too_large(std::size_t bytes_max) {
    return problem(413, "Content too large",
                   fmt::format("the body of this request may have {} bytes", bytes_max),
                   "send less at once");
}

Response RequestReader::no_room() {
    auto response = problem(503, "Busy", "too many bytes of request bodies are in flight",
                            "send again after the time in Retry-After");
    response.ours = true;
    return response;
}

void RequestReader::begin() {
    parser_->renew();
    head_ = RequestHead();
    request_.headers.reserve(8);
    charge_ = Charge(budget_);
    refusal_set_ = false;
    body_bytes_max_ = spare_ = header_charge_ = 0;
    scanned_ = line_begin_ = head_bytes_ = 0;
    phase_ = Phase::header;
}

void RequestReader::drop() {
    phase_ = Phase::idle;
    request_ = Request();
    charge_.release();
}

RequestReader::Outcome RequestReader::refuse(Response response) {
    refusal_ = std::move(response);
    refusal_set_ = true;
    return Outcome::refused;
}

RequestReader::Outcome RequestReader::advance(Input& input) {
    if (phase_ == Phase::idle) {
        while (input.view().starts_with("\r\n")) {
            input.consume(2);  // RFC 9112 2.2: some clients end a body with an extra line
        }
        if (input.empty() || input.view() == "\r") {
            return Outcome::starved;
        }
        begin();
    }
    if (phase_ == Phase::header) {
        return read_header(input);
    }
    if (phase_ == Phase::judged) {
        if (const auto outcome = begin_body(); outcome != Outcome::starved) {
            return outcome;
        }
    }
    return read_body(input);
}

RequestReader::Outcome RequestReader::read_header(Input& input) {
    const auto bytes = input.view();
    if (!is_token_char(bytes.front())) {
        return refuse(
            bad_request("this is not HTTP/1.1", "this address speaks plain http, not https"));
    }
    const auto wrong = look_at_lines(bytes);
    const auto length = head_bytes_ == 0 ? bytes.size() : head_bytes_;
    if (length > options_.header_bytes_max) {
        return refuse(header_too_large(options_.header_bytes_max));
    }
    if (!wrong.empty()) {
        return refuse(bad_request(wrong));
    }
    if (head_bytes_ == 0) {
        return Outcome::starved;
    }
    const auto outcome = parse_header(bytes.substr(0, length));
    input.consume(length);
    return outcome;
}

/// Goes on with the lines of a header until there are no more or it ends. What is wrong with them,
/// seen as soon as it is there; empty: nothing so far.
std::string_view RequestReader::look_at_lines(std::string_view bytes) {
    if (const auto end = scanned_ == 0 ? bytes.find("\r\n\r\n") : std::string_view::npos;
        end != std::string_view::npos) {
        head_bytes_ = end + 4;  // whole at once: Beast refuses what else is wrong with its lines
        return has_folded_line(bytes.substr(0, end)) ? folded : std::string_view{};
    }
    while (head_bytes_ == 0 && scanned_ < bytes.size()) {
        const auto feed = bytes.find('\n', scanned_);
        const auto seen = std::min(feed, bytes.size());
        // The last byte that was seen before may have been a carriage return.
        const auto back = bytes.substr(0, seen).find(
            '\r', std::max(line_begin_, scanned_) - (scanned_ > line_begin_ ? 1 : 0));
        if (back < seen - 1) {
            return "a carriage return stands alone in the header";
        }
        const char first = bytes[line_begin_];
        if (line_begin_ != 0 && (first == ' ' || first == '\t')) {
            return folded;
        }
        scanned_ = seen;
        if (feed == std::string_view::npos) {
            return {};
        }
        if (back == std::string_view::npos) {
            return "a line of the header ends without a carriage return";
        }
        if (line_begin_ == 0 && names_no_version(bytes.substr(0, back))) {
            return "the request line has no version";
        }
        head_bytes_ = back == line_begin_ ? feed + 1 : 0;
        scanned_ = line_begin_ = feed + 1;
    }
    return {};
}

RequestReader::Outcome RequestReader::parse_header(std::string_view block) {
    auto& tokens = parser_->tokens();
    error_code ec;
    tokens.put(boost::asio::const_buffer(block.data(), block.size()), ec);
    if (refusal_set_) {
        return Outcome::refused;
    }
    if (ec == beast_http::error::bad_version && names_other_version(block)) {
        return refuse(
            problem(505, "HTTP version not supported", "this server speaks HTTP/1.1 and HTTP/1.0"));
    }
    if (ec) {
        return refuse(ec == beast_http::error::header_limit
                          ? header_too_large(options_.header_bytes_max)
                          : bad_request(ec.message()));
    }
    if (!tokens.is_header_done()) {
        return refuse(bad_request("the header cannot be read"));
    }
    head_.keep_alive = tokens.keep_alive();
    head_.has_body = !tokens.is_done();
    if (const auto length = tokens.content_length()) {
        head_.content_length = *length;
    }
    if (block.size() > header_bytes_free) {
        header_charge_ = block.size();
        if (!charge_.grow_to(header_charge_)) {
            return refuse(no_room());
        }
    }
    phase_ = Phase::judged;
    return Outcome::header;
}

/// `starved`: go on and read.
RequestReader::Outcome RequestReader::begin_body() {
    if (!head_.has_body) {
        return Outcome::complete;
    }
    if (head_.content_length) {
        if (*head_.content_length > body_bytes_max_) {
            return refuse(too_large(body_bytes_max_));
        }
        const auto length = static_cast<std::size_t>(*head_.content_length);
        if (length <= body_bytes_reserved_at_once && length > request_.body.capacity() &&
            !make_room(length)) {
            return refuse(no_room());
        }
    }
    parser_->tokens().eager(true);
    phase_ = Phase::body;
    return Outcome::starved;
}

RequestReader::Outcome RequestReader::read_body(Input& input) {
    if (input.empty()) {
        return Outcome::starved;
    }
    auto& tokens = parser_->tokens();
    const auto bytes = input.view();
    error_code ec;
    input.consume(tokens.put(boost::asio::const_buffer(bytes.data(), bytes.size()), ec));
    if (refusal_set_) {
        return Outcome::refused;
    }
    if (ec == beast_http::error::need_more) {
        // What is left of the input are lines: a chunk's head, or the trailer.
        if (has_bare_line_feed(input.view())) {
            return refuse(bad_request("a line of a chunked body ends without a carriage return"));
        }
        const bool endless = input.view().size() >= options_.header_bytes_max;
        return endless ? refuse(bad_request("a chunk's head or the trailer is too long"))
                       : Outcome::starved;
    }
    if (ec) {
        return refuse(bad_request(ec.message()));
    }
    return tokens.is_done() ? Outcome::complete : Outcome::starved;
}

/// Capacity for a body of `bytes`, charged before it is used.
bool RequestReader::make_room(std::size_t bytes) {
    const std::size_t capacity =
        std::max(bytes, request_.body.capacity() * 2);  // as std::string grows
    if (!charge_.grow_to(header_charge_ + capacity, spare_)) {
        return false;
    }
    request_.body.reserve(capacity);
    return true;
}

}  // namespace helios::http
