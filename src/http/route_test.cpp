#include "http/route.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <set>

#include "base/json.h"
#include "http/url.h"

namespace helios::http {
namespace {

Handler nothing() {
    return [](Request, const Caller&, Responder) {};
}

Route route(Method method, std::string path) {
    Route made;
    made.method = method;
    made.path = std::move(path);
    made.handler = nothing();
    return made;
}

std::string path_of(const RouteTable::Match& match) {
    return match.route == nullptr ? "" : match.route->path;
}

class RouteTableTest : public testing::Test {
protected:
    RouteTableTest() {
        for (const auto* path :
             {"/", "/orders/{id}", "/orders/{id}/explain", "/orders/stats",
              "/orders/{id}/lines/{line}", "/a/{x}/c", "/a/b/d", "/caf\xc3\xa9"}) {
            table.add(route(Method::get, path));
        }
        table.add(route(Method::post, "/orders/stats"));
        table.add(route(Method::delete_, "/orders/{key}"));  // the same path under another name
    }
    RouteTable table;
};

TEST_F(RouteTableTest, prefers_fixed_segments_and_captures_the_others) {
    EXPECT_EQ(path_of(table.match(Method::get, "/")), "/");
    EXPECT_EQ(path_of(table.match(Method::get, "/orders/stats")), "/orders/stats");
    const auto one = table.match(Method::get, "/orders/7");
    EXPECT_EQ(path_of(one), "/orders/{id}");
    EXPECT_EQ(one.path_params.at("id"), "7");
    EXPECT_EQ(table.match(Method::delete_, "/orders/7").path_params.at("key"), "7");
    const auto two = table.match(Method::get, "/orders/a%2Fb/lines/..%2f");
    EXPECT_EQ(two.path_params.at("id"), "a/b");
    EXPECT_EQ(two.path_params.at("line"), "../");
    EXPECT_EQ(path_of(table.match(Method::get, "/orders/stats/explain")), "/orders/{id}/explain");
    EXPECT_EQ(path_of(table.match(Method::get, "/a/b/c")),
              "/a/{x}/c");  // "/a/b" leads nowhere: back to the parameter
    EXPECT_EQ(path_of(table.match(Method::get, "/a/b/d")), "/a/b/d");
}

TEST_F(RouteTableTest, compares_segments_decoded) {
    EXPECT_EQ(path_of(table.match(Method::get, "/%6frders/st%61ts")), "/orders/stats");
    EXPECT_EQ(path_of(table.match(Method::get, "/caf%C3%A9")), "/caf\xc3\xa9");
    EXPECT_EQ(path_of(table.match(Method::get, "/orders%2Fstats")), "");
    EXPECT_EQ(path_of(table.match(Method::get, "/orders/%zz")), "");
    EXPECT_EQ(path_of(table.match(Method::get, "/orders/%00")), "");
    EXPECT_EQ(path_of(table.match(Method::get, "/orders/\xff")), "");  // not text, encoded or not
}

TEST_F(RouteTableTest, matches_nothing_else) {
    for (const auto* path : {"", "*", "orders", "/orders", "/orders/", "//orders/7", "/orders/7/",
                             "/orders//explain", "/orders/7/explain/x", "/ORDERS/stats"}) {
        const auto match = table.match(Method::get, path);
        EXPECT_EQ(path_of(match), "") << path;
        EXPECT_TRUE(match.allowed.empty()) << path;
    }
}

TEST_F(RouteTableTest, tells_which_methods_a_path_has) {
    EXPECT_EQ(path_of(table.match(Method::head, "/orders/7")), "/orders/{id}");
    EXPECT_EQ(table.match(Method::head, "/orders/7").route->method, Method::get);
    EXPECT_THAT(table.match(Method::put, "/orders/7").allowed,
                testing::ElementsAre(Method::get, Method::delete_));
    EXPECT_THAT(table.match(Method::delete_, "/orders/stats").allowed,
                testing::ElementsAre(Method::get, Method::post));
}

TEST_F(RouteTableTest, refuses_what_it_could_not_tell_apart) {
    EXPECT_DEATH(table.add(route(Method::get, "/orders/{other}")), "method and path are new");
    EXPECT_DEATH(table.add(route(Method::get, "orders")), "begins with");
    EXPECT_DEATH(table.add(route(Method::get, "/x{id}")), "whole segment");
    Route named = route(Method::get, "/one");
    named.operation_id = "same";
    table.add(named);
    named.path = "/two";
    EXPECT_DEATH(table.add(named), "operation ids are unique");
}

TEST(Responder, answers_once_and_never_forgets) {
    int sent = 0;
    int last_status = 0;
    const auto send = [&](Response response) {
        ++sent;
        last_status = response.status;
    };
    {
        Responder responder(send);
        Responder moved(std::move(responder));
        moved.send(Response::empty(204));
    }
    EXPECT_EQ(sent, 1);
    EXPECT_EQ(last_status, 204);
    {
        const Responder dropped(send);
    }
    EXPECT_EQ(sent, 2);
    EXPECT_EQ(last_status, 500);
    {
        Responder overwritten(send);
        overwritten = Responder(send);
        EXPECT_EQ(sent, 3);
        overwritten.send(Response::empty(200));
        EXPECT_DEATH(overwritten.send(Response::empty(200)), "answered once");
    }
    EXPECT_EQ(sent, 4);
}

TEST(RouteTable, refuses_queries_that_the_routes_parameters_do_not_know) {
    RouteTable table;
    Route one = route(Method::get, "/orders");
    int asked = 0;
    one.handler = [&asked](const Request&, const Caller&, Responder responder) {
        ++asked;
        responder.send(Response::empty(204));
    };
    one.params = {{.name = "status", .values = {"open", "closed"}},
                  {.name = "limit"},
                  {.name = "key", .required = true},
                  {.in = Param::In::header, .name = "traceparent"}};
    Route open = one;
    open.path = "/senders";
    one.query_checked = true;
    table.add(one);
    table.add(open);
    const auto answer = [&](std::string_view path, std::string_view query) {
        Request request;
        request.query = *parse_query(query);
        Response got;
        table.match(Method::get, path)
            .route->handler(std::move(request), local_caller(),
                            Responder([&got](Response response) { got = std::move(response); }));
        return got;
    };
    const std::vector<std::pair<std::string, std::string>> wrong{
        {"statu=open&key=x", "did you mean status?"},
        {"LIMIT=1&key=x", "did you mean limit?"},
        {"traceparent=1&key=x", "there are: status, limit, key"},
        {"limit=1&limit=1&key=x", "give it once"},
        {"limit=&key=x", "leave it out"},
        {"status=opn&key=x", "did you mean open?"},
        {"status=OPEN&key=x", "did you mean open?"},
        {"status=red&key=x", "there are: open, closed"},
        {"status=" + std::string(100'000, 'o') + "&key=x", "there are: open, closed"},
        {"limit=1", "\"key\\\" is missing"}};
    for (const auto& [query, says] : wrong) {
        const auto response = answer("/orders", query);
        EXPECT_EQ(response.status, 400) << query.substr(0, 100);
        EXPECT_NE(response.body.find(says), std::string::npos) << response.body;
        EXPECT_LT(response.body.size(), 1000u);
    }
    EXPECT_EQ(asked, 0);
    EXPECT_EQ(answer("/orders", "status=open&limit=1&key=x").status, 204);
    EXPECT_EQ(answer("/senders", "whatever=1&whatever=").status, 204);
}

// The document, checked as its readers will read it.

void collect_refs(json::Value value, std::set<std::string>& refs) {
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value.is_object() && value.key_at(i) == "$ref") {
            refs.emplace(value.at(i).text());
        }
        collect_refs(value.at(i), refs);
    }
}

RouteTable documented() {
    RouteTable table;
    Route one = route(Method::get, "/orders/{id}");
    one.operation_id = "getOrder";
    one.summary = "One \"order\"";
    one.tag = "orders";
    one.params = {{.name = "after",
                   .description = "position",
                   .schema = R"({"type":"string","maxLength":64})"}};
    one.answers = {{.status = 404,
                    .description = "Unknown",
                    .media_type = "application/problem+json",
                    .schema = R"({"$ref":"#/components/schemas/Problem"})"},
                   {.status = 200,
                    .description = "Known",
                    .schema = R"({"$ref":"#/components/schemas/Order"})",
                    .example = R"({"id":"A1"})"},
                   {.status = 200, .description = "As text", .media_type = "text/plain"}};
    table.add(one);
    Route put = route(Method::put, "/orders/{id}");
    put.operation_id = "putOrder";
    put.request_media_type = "application/json";
    put.request_schema = R"({"$ref":"#/components/schemas/Order"})";
    put.answers = {{.status = 204, .description = "Done", .media_type = ""}};
    table.add(put);
    Route bare = route(Method::get, "/bare");
    table.add(bare);
    Route hidden = route(Method::get, "/assets/{file}");
    hidden.hidden = true;
    table.add(hidden);
    return table;
}

constexpr std::string_view components =
    R"({"schemas":{"Order":{"type":"object"},"Problem":{"type":"object"}}})";

TEST(OpenApi, says_what_the_table_says) {
    const auto table = documented();
    const std::string text = table.openapi("Helios", "0.1.0", "Orders that agree", components);
    EXPECT_EQ(text, documented().openapi("Helios", "0.1.0", "Orders that agree",
                                         components));  // deterministic
    const auto document = json::Document::parse(text);
    ASSERT_TRUE(document) << document.error().message() << "\n" << text;
    const auto root = document->root();
    EXPECT_EQ(root.find("openapi").text(), "3.1.0");
    EXPECT_EQ(root.find("info").find("title").text(), "Helios");
    const auto paths = root.find("paths");
    ASSERT_EQ(paths.size(), 2);
    EXPECT_EQ(paths.key_at(0), "/orders/{id}");
    const auto operation = paths.find("/orders/{id}").find("get");
    EXPECT_EQ(operation.find("summary").text(), "One \"order\"");
    EXPECT_EQ(operation.find("tags").at(0).text(), "orders");
    const auto params = operation.find("parameters");
    ASSERT_EQ(params.size(), 2);  // the path's own is added
    EXPECT_EQ(params.at(0).find("in").text(), "query");
    EXPECT_FALSE(params.at(0).find("required").boolean());
    EXPECT_EQ(params.at(1).find("name").text(), "id");
    EXPECT_TRUE(params.at(1).find("required").boolean());
    const auto responses = operation.find("responses");
    EXPECT_EQ(responses.key_at(0), "200");
    EXPECT_EQ(responses.find("404").find("description").text(), "Unknown");
    EXPECT_TRUE(responses.find("421").present()) << "what the server says itself";
    EXPECT_FALSE(responses.find("426").present()) << "this is no WebSocket";
    EXPECT_EQ(responses.at(0).find("content").size(), 2);
    EXPECT_EQ(
        responses.at(0).find("content").find("application/json").find("example").find("id").text(),
        "A1");
    const auto put = paths.find("/orders/{id}").find("put");
    EXPECT_TRUE(put.find("requestBody").find("content").find("application/json").present());
    EXPECT_FALSE(put.find("responses").find("204").find("content").present());
    EXPECT_TRUE(paths.find("/bare").find("get").find("responses").find("400").present());
}

TEST(OpenApi, has_no_dangling_reference_and_no_operation_twice) {
    const auto document = json::Document::parse(documented().openapi("t", "v", "d", components));
    ASSERT_TRUE(document);
    std::set<std::string> refs;
    collect_refs(document->root(), refs);
    EXPECT_EQ(refs.size(), 2);
    const auto schemas = document->root().find("components").find("schemas");
    for (const auto& ref : refs) {
        constexpr std::string_view prefix = "#/components/schemas/";
        ASSERT_TRUE(ref.starts_with(prefix)) << ref;
        EXPECT_TRUE(schemas.find(ref.substr(prefix.size())).present()) << ref;
    }
    std::set<std::string> ids;
    const auto paths = document->root().find("paths");
    for (std::size_t p = 0; p < paths.size(); ++p) {
        EXPECT_FALSE(paths.at(p).has_duplicate_keys());
        for (std::size_t o = 0; o < paths.at(p).size(); ++o) {
            if (const auto id = paths.at(p).at(o).find("operationId")) {
                EXPECT_TRUE(ids.emplace(id.text()).second) << id.text();
            }
        }
    }
    EXPECT_EQ(ids.size(), 2);
}

}  // namespace
}  // namespace helios::http
