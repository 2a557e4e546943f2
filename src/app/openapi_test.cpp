/// The document of gateway and api together: what one names, the other must have.

#include <algorithm>
#include <gtest/gtest.h>
#include <set>
#include <string>

#include "api/routes.h"
#include "api/test_kit.h"
#include "base/json.h"
#include "gateway/routes.h"
#include "gateway/test_kit.h"

namespace helios::app {
namespace {

TEST(OpenApi, what_ingest_routes_refer_to_is_among_the_components) {
    gateway::Rig rig;
    rig.open();
    http::RouteTable routes;
    gateway::add_routes(routes, *rig.gateway);
    const auto document =
        json::Document::parse(routes.openapi("Helios", "1", "", api::openapi_components()));
    ASSERT_TRUE(document);
    const auto schemas = document->root().find("components").find("schemas");
    constexpr std::string_view prefix = "#/components/schemas/";
    std::set<std::string> named;
    for (const auto& route : routes.routes()) {
        std::string texts = route.request_schema;
        for (const auto& answer : route.answers) {
            texts += answer.schema;
        }
        for (auto at = texts.find(prefix); at != std::string::npos;
             at = texts.find(prefix, at + 1)) {
            const auto begin = at + prefix.size();
            named.insert(texts.substr(begin, texts.find('"', begin) - begin));
        }
    }
    EXPECT_EQ(named,
              (std::set<std::string>{"BatchAnswer", "EventLine", "IngestAnswer", "Problem"}));
    for (const auto& name : named) {
        EXPECT_TRUE(schemas.find(name).present()) << name;
    }
}

/// Just as much of JSON Schema as the document uses: references, allOf, types, enums, required
/// members, items.
class Schemas {
public:
    explicit Schemas(json::Value components) : schemas_(components.find("schemas")) {}

    void expect(json::Value schema, json::Value value, const std::string& where) const {
        if (const auto reference = schema.find("$ref"); reference.present()) {
            const auto name = reference.text().substr(reference.text().rfind('/') + 1);
            ASSERT_TRUE(schemas_.find(name).present()) << where << ": " << name;
            expect(schemas_.find(name), value, where);
        }
        const auto all = schema.find("allOf");
        for (std::size_t i = 0; i < all.size(); ++i) {
            expect(all.at(i), value, where);
        }
        if (const auto type = schema.find("type"); type.present()) {
            EXPECT_TRUE(is_of(type, value))
                << where << ": " << value.raw() << " is not " << type.raw();
        }
        if (const auto words = schema.find("enum"); words.present()) {
            EXPECT_TRUE(contains(words, value))
                << where << ": " << value.raw() << " is not in " << words.raw();
        }
        const auto required = schema.find("required");
        for (std::size_t i = 0; i < required.size(); ++i) {
            EXPECT_TRUE(value.find(required.at(i).text()).present())
                << where << ": lacks " << required.at(i).text();
        }
        const auto properties = schema.find("properties");
        for (std::size_t i = 0; i < properties.size(); ++i) {
            if (const auto member = value.find(properties.key_at(i)); member.present()) {
                expect(properties.at(i), member, where + "." + std::string(properties.key_at(i)));
            }
        }
        if (const auto items = schema.find("items"); items.present() && value.is_array()) {
            for (std::size_t i = 0; i < value.size(); ++i) {
                expect(items, value.at(i), where + "[]");
            }
        }
    }

private:
    static bool contains(json::Value list, json::Value value) {
        for (std::size_t i = 0; i < list.size(); ++i) {
            if (list.at(i).text() == value.text()) {
                return true;
            }
        }
        return false;
    }
    static bool is_of(json::Value type, json::Value value) {
        if (type.is_array()) {
            for (std::size_t i = 0; i < type.size(); ++i) {
                if (is_of(type.at(i), value)) {
                    return true;
                }
            }
            return false;
        }
        const auto name = type.text();
        return name == "object"                        ? value.is_object()
               : name == "array"                       ? value.is_array()
               : name == "string"                      ? value.is_string()
               : name == "null"                        ? value.is_null()
               : name == "number" || name == "integer" ? value.is_number()
               : name == "boolean" ? value.raw() == "true" || value.raw() == "false"
                                   : false;
    }

    json::Value schemas_;
};

TEST(OpenApi, every_example_keeps_to_its_schema) {
    gateway::Rig rig;
    rig.open();
    api::testing::Served served;
    served.open();
    auto& routes = served.table;
    gateway::add_routes(routes, *rig.gateway);
    const std::string components(api::openapi_components());
    const auto parsed = json::Document::parse(components);
    ASSERT_TRUE(parsed);
    const Schemas schemas(parsed->root());
    std::size_t examples = 0;
    const auto check = [&](const std::string& schema_text, const std::string& example_text,
                           const std::string& where) {
        if (schema_text.empty() || example_text.empty()) {
            return;
        }
        const auto schema = json::Document::parse(schema_text);
        const auto example = json::Document::parse(example_text);
        ASSERT_TRUE(schema && example) << where;
        schemas.expect(schema->root(), example->root(), where);
        ++examples;
    };
    for (const auto& route : routes.routes()) {
        check(route.request_schema, route.request_example, route.path + " request");
        for (const auto& answer : route.answers) {
            check(answer.schema, answer.example, route.path + " " + std::to_string(answer.status));
        }
    }
    EXPECT_GE(examples, 18u);
}

TEST(OpenApi, routes_that_change_state_name_what_the_server_says_before_them) {
    gateway::Rig rig;
    rig.open();
    http::RouteTable routes;
    gateway::add_routes(routes, *rig.gateway);
    for (const auto& route : routes.routes()) {
        for (const int status : {400, 403, 413, 417, 421, 503}) {
            const bool documented =
                std::any_of(route.answers.begin(), route.answers.end(),
                            [status](const auto& answer) { return answer.status == status; });
            EXPECT_TRUE(documented || !route.changes_state) << route.path << " " << status;
        }
    }
}

}  // namespace
}  // namespace helios::app
