#include "model/admission.h"

#include <gtest/gtest.h>

#include "model/topics.h"

namespace helios::model {
namespace {

struct Admitting {
    json::Document document;
    Event event{default_tenant()};
    Admission admission;
};

Admitting admit(std::string_view source, std::string_view payload,
                const TenantId& tenant = default_tenant()) {
    NamedSources named;
    named.add(default_tenant(), {"warehouse"});
    named.add(*TenantId::parse("second"), {"harbour"});
    Admitting out{*json::Document::parse(payload), Event(tenant), {}};
    out.event.source = source;
    out.event.type = "OrderPlaced";
    out.admission = admit(
        out.event, out.document.root(), Catalogue::shipped(),
        [&](const TenantId& whose, std::string_view name) { return named.contains(whose, name); });
    return out;
}

TEST(Admission, who_is_known) {
    for (const std::string_view source : {"aws", "gcp", "azure", "warehouse"}) {
        EXPECT_TRUE(admit(source, R"({"orderId":"A"})").admission.admitted()) << source;
    }
    const auto stranger = admit("war\nehouse\u202e", R"({"orderId":"A"})");
    EXPECT_EQ(stranger.admission.reason, "unknown_source");
    EXPECT_EQ(
        stranger.admission.detail,
        R"(source: "war\nehouse\u202e" is neither a cloud's, nor a sender's that the configuration has, nor named by an active flow)");
    EXPECT_EQ(stranger.admission.errors, std::vector<std::string>{stranger.admission.detail});
    EXPECT_EQ(stranger.event.key, "A") << "who asks for the key finds it in quarantine";
    EXPECT_EQ(admit("mars", "{}").admission.reason, "unknown_source") << "asked first";
}

TEST(Admission, a_source_is_known_to_the_tenants_whose_flows_name_it) {
    const auto reason = [](std::string_view source, const TenantId& tenant) {
        return admit(source, R"({"orderId":"A"})", tenant).admission.reason;
    };
    const auto second = *TenantId::parse("second");
    const auto third = *TenantId::parse("third");
    EXPECT_EQ(reason("harbour", second), "");
    EXPECT_EQ(reason("harbour", default_tenant()), "unknown_source");
    EXPECT_EQ(reason("harbour", third), "unknown_source");
    EXPECT_EQ(reason("warehouse", second), "unknown_source");
    EXPECT_EQ(reason("aws", third), "") << "a built-in one is everybody's";
}

TEST(Admission, what_the_catalogue_says) {
    const auto good = admit("aws", R"({"orderId":"A","timestamp":"2026-01-05T10:00:00Z"})");
    EXPECT_EQ(good.admission.topic, topic::orders);
    EXPECT_TRUE(good.event.time);
    EXPECT_EQ(good.event.warnings, std::vector<std::string>{"customerId: expected, absent"});
    const auto bad = admit("aws", R"({"customerId":"C"})");
    EXPECT_EQ(bad.admission.reason, "missing_field");
    EXPECT_EQ(bad.admission.detail, "orderId: required, absent");
    EXPECT_EQ(too_large(10).reason, "too_large");
    EXPECT_EQ(too_large(10).errors.at(0), "event: larger than the record limit of 10 bytes");
}

}  // namespace
}  // namespace helios::model
