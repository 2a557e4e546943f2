#pragma once
/// Who asks: set once per request, before its handler runs, and handed on from there. What a caller
/// may do is decided where a route says who may call it.

#include <cstdint>
#include <initializer_list>
#include <string>
#include <utility>

#include "base/tenant.h"

namespace helios {

enum class Role : std::uint8_t {
    sender,     ///< brings events
    viewer,     ///< reads
    operator_,  ///< works cases and quarantine
    approver,   ///< lets others' remedies through
    admin,      ///< changes everything
};

/// A set of roles.
class Roles {
public:
    constexpr Roles() = default;
    constexpr Roles(std::initializer_list<Role> roles) {
        for (const Role role : roles) {
            bits_ |= bit(role);
        }
    }
    static constexpr Roles all() {
        return {Role::sender, Role::viewer, Role::operator_, Role::approver, Role::admin};
    }
    constexpr bool has(Role role) const { return (bits_ & bit(role)) != 0; }
    friend bool operator==(const Roles&, const Roles&) = default;

private:
    static constexpr std::uint8_t bit(Role role) {
        return static_cast<std::uint8_t>(1u << static_cast<unsigned>(role));
    }
    std::uint8_t bits_ = 0;
};

struct Caller {
    explicit Caller(TenantId of) : tenant(std::move(of)) {}

    TenantId tenant;
    std::string subject;  ///< who, as audit records say it: "local", a user, a key
    Roles roles;
    bool proved = false;  ///< by a credential of their own
};

/// Whoever reaches the port, while nobody is authenticated: of the default tenant, may do all.
Caller local_caller();

}  // namespace helios
