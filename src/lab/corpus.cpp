#include "lab/corpus.h"

#include <array>
#include <charconv>
#include <cstring>
#include <fmt/format.h>

#include "base/assert.h"
#include "base/currency.h"
#include "base/hash.h"
#include "base/json.h"
#include "lab/envelope.h"
#include "lab/random.h"

namespace helios::lab {
namespace {

constexpr std::uint64_t leg_distance =
    16;  // orders between an order and its payment, and its payment and its reservation
constexpr std::uint64_t repeat_distance = 200;  // events between a delivery and its repetition
constexpr std::string_view mark = "@@@@@@@@@@@@";
constexpr std::size_t mark_size = 12;
constexpr std::uint64_t forms = 3;

/// Every group of three digits and what base64 makes of it.
struct Digits {
    std::array<std::array<char, 3>, 1000> plain;
    std::array<std::array<char, 4>, 1000> base64;
    Digits() {
        for (unsigned i = 0; i < 1000; ++i) {
            std::string three = fmt::format("{:03}", i);
            std::string four = base64_encode(three);
            std::memcpy(plain[i].data(), three.data(), 3);
            std::memcpy(base64[i].data(), four.data(), 4);
        }
    }
};

const Digits& digits() {
    static const Digits table;
    return table;
}

std::array<unsigned, 4> groups_of(std::uint64_t n) {
    return {static_cast<unsigned>(n / 1'000'000'000 % 1000),
            static_cast<unsigned>(n / 1'000'000 % 1000), static_cast<unsigned>(n / 1000 % 1000),
            static_cast<unsigned>(n % 1000)};
}

std::vector<std::size_t> marks_in(std::string_view text) {
    std::vector<std::size_t> found;
    for (std::size_t at = text.find(mark); at != std::string_view::npos;
         at = text.find(mark, at + mark_size)) {
        found.push_back(at);
    }
    return found;
}

/// Blanks in front of keys, so that every mark begins at a multiple of three and base64 keeps it to
/// itself.
std::string aligned(std::string text) {
    for (std::size_t at = text.find(mark); at != std::string::npos;
         at = text.find(mark, at + mark_size)) {
        std::size_t blanks = (3 - at % 3) % 3;
        std::size_t before = text.find_last_of(",{", at);
        HELIOS_ASSERT(before != std::string::npos, "a mark stands inside an object");
        text.insert(before + 1, blanks, ' ');
        at += blanks;
    }
    return text;
}

std::string request_of(const Delivery& delivery) {
    std::string text = fmt::format("POST {} HTTP/1.1\r\nHost: localhost\r\n", delivery.target);
    for (const auto& [name, value] : delivery.headers) {
        text += fmt::format("{}: {}\r\n", name, value);
    }
    return text + fmt::format("Content-Length: {}\r\n\r\n", delivery.body.size()) + delivery.body;
}

std::string line_of(const Fact& fact) {
    json::Writer w;
    w.begin_object()
        .field("source", to_string(cloud_of(fact.leg)))
        .field("eventType", event_type_of(fact.leg))
        .field("id", fact.event_id);
    w.field("time", format_rfc3339(fact.at)).key("payload").raw(fact.payload).end_object();
    return w.take();
}

}  // namespace

bool is_mismatch(const BenchOptions& options, std::uint64_t order) {
    return Random::of(options.seed ^ 0xbadULL, order).chance(options.mismatches_per_thousand);
}

bool is_late(const BenchOptions& options, std::uint64_t order) {
    return Random::of(options.seed ^ 0x1a7eULL, order).chance(options.late_per_thousand);
}

CorpusStream::CorpusStream(const BenchOptions& options, std::uint64_t orders,
                           std::uint64_t held_for)
    : options_(options), orders_(orders), held_for_(held_for) {}

/// The next leg in the shop's own rhythm.
bool CorpusStream::from_shop(CorpusEvent& event) {
    while (slot_ < orders_ + 2 * leg_distance) {
        unsigned leg = leg_;
        std::uint64_t slot = slot_;
        leg_ = (leg_ + 1) % 3;
        slot_ += leg_ == 0 ? 1 : 0;
        std::uint64_t back = leg * leg_distance;
        if (slot >= back && slot - back < orders_) {
            event = {slot - back, static_cast<Leg>(leg), false};
            return true;
        }
    }
    return false;
}

bool CorpusStream::next(CorpusEvent& event) {
    for (;;) {
        std::deque<Held>* from = !late_.empty() && late_.front().due <= given_         ? &late_
                                 : !repeats_.empty() && repeats_.front().due <= given_ ? &repeats_
                                                                                       : nullptr;
        bool fresh = from == nullptr && from_shop(event);
        if (from == nullptr && !fresh) {  // the shop has closed: what is held comes at once
            from = !late_.empty() ? &late_ : !repeats_.empty() ? &repeats_ : nullptr;
            if (from == nullptr) {
                return false;
            }
        }
        if (from != nullptr) {
            event = from->front().event;
            from->pop_front();
        } else if (event.leg == Leg::inventory && is_late(options_, event.order)) {
            late_.push_back({given_ + held_for_, event});
            continue;
        }
        given_ += 1;
        if (!event.repeat) {
            Random random = Random::of(options_.seed ^ 0xd0b1eULL,
                                       event.order * 3 + static_cast<std::uint64_t>(event.leg));
            if (random.chance(options_.duplicates_per_thousand)) {
                repeats_.push_back({given_ + repeat_distance, {event.order, event.leg, true}});
            }
        }
        return true;
    }
}

CorpusText::CorpusText(const BenchOptions& options, Instant run_start) : options_(options) {
    std::int64_t ms = to_nanos(run_start) / 1'000'000;
    run_ = fmt::format("{:011x}", ms);
    run_digits_ = fmt::format("{:013}", ms);
    for (std::size_t v = 0; v < varieties; ++v) {
        for (Leg leg : {Leg::order, Leg::payment, Leg::inventory}) {
            for (bool wrong : {false, true}) {
                for (Form form : {Form::request, Form::grid, Form::line}) {
                    templates_.push_back(make(options, v, leg, wrong, form, run_start));
                }
            }
        }
    }
}

CorpusText::Template CorpusText::make(const BenchOptions& options, std::size_t variety, Leg leg,
                                      bool wrong, Form form, Instant run_start) const {
    Order order = make_order(options.seed, variety, run_start);
    order.id = fmt::format("B{}-{}", run_, mark);
    order.payment_id = fmt::format("PAY-{}-{}", run_, mark);
    order.reservation_id = fmt::format("RSV-{}-{}", run_, mark);
    Fact fact{leg, {}, order.id, {}, order.placed_at};
    if (leg == Leg::order) {
        fact.payload = order_payload(order);
    } else if (leg == Leg::payment) {
        Charge charge = charge_of(order);
        if (wrong) {
            charge.amount = Decimal::add(order.total, Decimal::from_int(1))
                                .value_or(Decimal{})
                                .to_string(currency_minor_units(order.currency));
        }
        fact.payload = payment_payload(order, charge);
        fact.at = order.paid_at;
    } else {
        fact.payload = inventory_payload(order, order.items);
        fact.at = order.reserved_at;
    }
    // Ids look like their cloud's: a UUID whose last group is the order number, or digits.
    fact.event_id =
        leg == Leg::payment
            ? run_digits_ + std::string(mark)
            : make_uuid(options.seed, fmt::format("{}/{}", run_, to_string(leg))).substr(0, 24) +
                  std::string(mark);
    Template t;
    if (form == Form::line) {
        t.bytes = line_of(fact);
    } else if (form == Form::grid) {
        t.bytes = eventgrid_event(fact);
    } else if (leg != Leg::payment) {
        t.bytes = request_of(deliver(fact, Wrapping::usual));
    } else {
        fact.payload = aligned(fact.payload);
        t.bytes = request_of(deliver(fact, Wrapping::usual));
        std::size_t data = t.bytes.find(base64_encode(fact.payload));
        HELIOS_ASSERT(data != std::string::npos, "Pub/Sub carries its payload as base64");
        for (std::size_t at : marks_in(fact.payload)) {
            t.base64_at.push_back(data + at / 3 * 4);
        }
    }
    t.digits_at = marks_in(t.bytes);
    return t;
}

const CorpusText::Template& CorpusText::of(const CorpusEvent& event, Form form) const {
    std::size_t wrong = is_mismatch(options_, event.order) ? 1 : 0;
    std::size_t variety = event.order % varieties;
    return templates_[((variety * 3 + static_cast<std::size_t>(event.leg)) * 2 + wrong) * forms +
                      static_cast<std::size_t>(form)];
}

std::string CorpusText::order_id(std::uint64_t order) const {
    return fmt::format("B{}-{:012}", run_, order);
}

bool CorpusText::order_of(std::string_view key, std::uint64_t& order) const {
    if (key.size() != 1 + run_.size() + 1 + mark_size || key[0] != 'B' ||
        key.substr(1, run_.size()) != run_) {
        return false;
    }
    std::string_view number = key.substr(key.size() - mark_size);
    auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), order);
    return error == std::errc{} && end == number.data() + number.size();
}

void CorpusText::append(std::string& out, const CorpusEvent& event, Form form) const {
    const Template& t = of(event, form);
    std::size_t start = out.size();
    out += t.bytes;
    std::array<unsigned, 4> groups = groups_of(event.order);
    for (std::size_t at : t.digits_at) {
        for (std::size_t g = 0; g < groups.size(); ++g) {
            std::memcpy(out.data() + start + at + g * 3, digits().plain[groups[g]].data(), 3);
        }
    }
    for (std::size_t at : t.base64_at) {
        for (std::size_t g = 0; g < groups.size(); ++g) {
            std::memcpy(out.data() + start + at + g * 4, digits().base64[groups[g]].data(), 4);
        }
    }
}

}  // namespace helios::lab
