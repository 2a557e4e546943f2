#include "auth/event_grid.h"

#include <gtest/gtest.h>

namespace helios::auth {
namespace {

TEST(EventGrid, what_it_sends_may_be_visited) {
    const auto url = validation_url(
        "https://rp-eastus2.eventgrid.azure.net:553/eventsubscriptions/estest/validate?id=512d&t="
        "2026-01-05T10:23:45.1234567Z&apiVersion=2018-09-15-preview&token=1A1A1",
        {});
    ASSERT_TRUE(url) << url.error().message();
    EXPECT_EQ(url->authority(), "rp-eastus2.eventgrid.azure.net:553");
    EXPECT_EQ(url->path, "/eventsubscriptions/estest/validate");
    EXPECT_TRUE(validation_url("https://RP.EventGrid.azure.net/validate?id=1", {}));
    EXPECT_TRUE(validation_url("http://127.0.0.1:8080/validate", {"127.0.0.1:8080"}));
}

TEST(EventGrid, what_leads_elsewhere_may_not) {
    for (const char* text :
         {"", "validate", "http://rp.eventgrid.azure.net/validate",
          "https://eventgrid.azure.net/validate", "https://.eventgrid.azure.net/validate",
          "https://eventgrid.azure.net.evil.example/validate",
          "https://evil-eventgrid.azure.net/validate",
          "https://rp.eventgrid.azure.net:8443/validate",
          "https://rp.eventgrid.azure.net:0553x/validate",
          "https://rp.eventgrid.azure.net@evil.example/validate",
          "https://evil.example\\@rp.eventgrid.azure.net/validate",
          "https://evil.example/#rp.eventgrid.azure.net", "https://[::1]/validate",
          "https://169.254.169.254/latest?x=.eventgrid.azure.net",
          "https://rp.eventgrid.azure.net/a b", "https://rp.eventgrid.azure.net/a\r\nX: y",
          "file:///etc/passwd", "http://127.0.0.1:8081/validate"}) {
        EXPECT_FALSE(validation_url(text, {"127.0.0.1:8080"})) << text;
    }
}

}  // namespace
}  // namespace helios::auth
