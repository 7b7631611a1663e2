/*
 * Every route with every kind of caller, from the table: a route without an expectation fails.
 */
#include "api/accept_invitation.h"
#include "api/access_money.h"
#include "api/access_wants.h"
#include "api/route.h"
#include "billing/document.h"
#include "catalog/catalog_fixture.h"
#include "channel/channel_fixture.h"
#include "fleet/alert.h"
#include "fleet/fleet_fixture.h"

enum who { NOBODY, LONER, OTHER, READER, NARROW, SPONSOR, RIGHT, BROWSER, WHO_COUNT };

static const char *const who_names[WHO_COUNT] = {
    "nobody",    "a user without a party", "the owner of another party",
    "a reader",  "a narrow token",         "the owner of the sponsor",
    "the owner", "the owner's browser"};

/* What to send, and which status each kind of caller must get. In body, TOKEN is an invitation's,
 * SPONSOR the client's, and '#' another digit for each caller. */
struct expectation {
    const char *body;
    const char *user_body; /* by those who are logged in; NULL: the same */
    int want[WHO_COUNT];
};

static const struct expectation expectations[ROUTE_COUNT] = {
    [ROUTE_healthz] = {.want = PUBLIC_200},
    [ROUTE_readyz] = {.want = PUBLIC_200},
    [ROUTE_metrics] = {.want = {401, 403, 403, 403, 403, 403, 403, 403}},
    [ROUTE_openapi] = {.want = PUBLIC_200},
    [ROUTE_version] = {.want = PUBLIC_200},
    [ROUTE_status] = {.want = SELF_200},
    /* Here time is real: owners are told so, whatever they own. */
    [ROUTE_test_clock_get] = {.want = {401, 403, 404, 403, 403, 404, 404, 404}},
    [ROUTE_test_clock_move] = {.body = "{\"now\":\"2030-01-01T00:00:00Z\"}",
                               .want = {401, 403, 404, 403, 403, 404, 404, 404}},

    [ROUTE_session_create] = {.body = "{\"email\":\"nobody@example.net\",\"password\":\"x\"}",
                              .want = {401, 401, 401, 401, 401, 401, 401, 401}},
    [ROUTE_session_get] = {.want = {401, 404, 404, 404, 403, 404, 404, 200}},
    [ROUTE_session_delete] = {.want = {401, 404, 404, 404, 403, 404, 404, 204}},
    [ROUTE_session_prove] = {.body = "{\"password\":\"wrong\"}",
                             .want = {401, 409, 409, 409, 403, 409, 409, 422}},
    [ROUTE_me_get] = {.want = SELF_200},
    [ROUTE_me_change] = {.body = "{\"name\":\"New\"}", .want = SELF_200},
    [ROUTE_password_change] = {.body = "{\"password\":\"wrong\",\"fresh\":\"long and new 12345\"}",
                               .want = {401, 422, 422, 422, 403, 422, 422, 422}},
    [ROUTE_totp_begin] = {.body = "{\"password\":\"wrong\"}",
                          .want = {401, 422, 422, 422, 403, 422, 422, 422}},
    [ROUTE_totp_confirm] = {.body = "{\"code\":\"123456\"}",
                            .want = {401, 409, 409, 409, 403, 409, 409, 409}},
    [ROUTE_totp_delete] = {.body = "{\"password\":\"wrong\"}",
                           .want = {401, 422, 422, 422, 403, 422, 422, 422}},
    [ROUTE_session_list] = {.want = SELF_200},
    [ROUTE_me_audit] = {.want = SELF_200},
    [ROUTE_session_end] = {.want = {401, 404, 404, 404, 403, 404, 204, 204}},
    [ROUTE_token_list] = {.want = SELF_200},
    [ROUTE_token_create] = {.body = "{\"name\":\"x\",\"scopes\":[\"self:read\"]}",
                            .want = {401, 201, 201, 201, 403, 201, 201, 201}},
    [ROUTE_token_get] = {.want = {401, 404, 404, 404, 403, 404, 200, 200}},
    [ROUTE_token_delete] = {.want = {401, 404, 404, 404, 403, 404, 204, 204}},

    [ROUTE_party_list] = {.want = {401, 403, 200, 200, 403, 200, 200, 200}},
    [ROUTE_party_create] = {.body = "{\"name\":\"Fresh\",\"kind\":\"company\","
                                    "\"address\":{\"country\":\"FR\"}}",
                            .want = {401, 403, 201, 403, 403, 201, 201, 201}},
    [ROUTE_party_get] = {.want = PARTY_READ},
    [ROUTE_party_change] = {.body = "{\"phone\":\"+33 1 23 45 67 89\"}", .want = PARTY_SPONSOR},
    [ROUTE_party_close] = {.want = PARTY_SPONSOR},
    [ROUTE_party_reopen] = {.want = {401, 404, 404, 403, 403, 200, 403, 403}},
    [ROUTE_member_list] = {.want = PARTY_READ},
    [ROUTE_member_change] = {.body = "{\"role\":\"billing\"}", .want = PARTY_OWN},
    [ROUTE_member_remove] = {.want = {401, 404, 404, 403, 403, 403, 204, 204}},
    [ROUTE_invitation_list] = {.want = {401, 404, 404, 200, 403, 403, 200, 200}},
    [ROUTE_invitation_create] = {.body = "{\"joins\":true,\"role\":\"reader\"}",
                                 .want = {401, 404, 404, 403, 403, 403, 201, 201}},
    [ROUTE_invitation_get] = {.want = {401, 404, 404, 200, 403, 403, 200, 200}},
    [ROUTE_invitation_resend] = {.want = PARTY_OWN},
    [ROUTE_invitation_revoke] = {.want = PARTY_OWN},
    [ROUTE_invitation_open] = {.body = "{\"token\":\"TOKEN\"}", .want = PUBLIC_200},
    [ROUTE_invitation_accept] = {.body = "{\"token\":\"TOKEN\",\"email\":\"new@example.net\","
                                         "\"name\":\"New\",\"password\":\"a long passphrase 7\"}",
                                 .user_body = "{\"token\":\"TOKEN\"}",
                                 .want = {201, 201, 201, 409, 403, 201, 201, 409}},
    [ROUTE_brand_get] = {.want = PARTY_READ},
    [ROUTE_brand_change] = {.body = "{\"name\":\"Shiny\"}", .want = PARTY_OWN},
    [ROUTE_boot] = {.want = PUBLIC_200},
    [ROUTE_role_list] = {.want = SELF_200},
    [ROUTE_audit_list] = {.want = {401, 404, 404, 403, 403, 403, 200, 200}},
    [ROUTE_events] = {.want = {401, 403, 200, 200, 403, 200, 200, 200}},
    [ROUTE_calculate] = {.body = "{\"currency\":\"EUR\",\"price\":\"195\"}", .want = PUBLIC_200},
    [ROUTE_agreement_list] = {.want = OWN_READ},
    [ROUTE_agreement_create] = {.body = "{\"kind\":\"referral\",\"to\":\"SPONSOR\",\"terms\":{"
                                        "\"rules\":[{\"kind\":\"percent\",\"value\":\"5\"}]}}",
                                .want = OWN_MAKE},
    [ROUTE_agreement_get] = {.want = BOTH_READ},
    [ROUTE_agreement_terms] = {.want = BOTH_READ},
    [ROUTE_agreement_change] = {.body = "{\"terms\":{\"payment_days\":14}}", .want = PARTY_OWN},
    [ROUTE_agreement_offer] = {.want = PARTY_OWN},
    [ROUTE_agreement_withdraw] = {.want = PARTY_OWN},
    [ROUTE_agreement_sign] = {.want = OTHER_SIGNS},
    [ROUTE_agreement_sign_for] = {.want = PARTY_OWN},
    [ROUTE_agreement_end] = {.body = "{}", .want = BOTH_WRITE},
    [ROUTE_price_book_list] = {.want = OWN_READ},
    [ROUTE_price_book_create] = {.body = "{\"name\":\"book #\"}", .want = OWN_MAKE},
    [ROUTE_price_book_get] = {.want = OWN_READ},
    [ROUTE_price_book_change] = {.body = "{\"floor_percent\":\"100\"}", .want = PARTY_OWN},
    [ROUTE_price_entry_list] = {.want = OWN_READ},
    [ROUTE_price_entry_add] = {.body = "{\"op\":\"mul\",\"value\":\"112\"}", .want = OWN_MAKE},
    [ROUTE_reward_list] = {.want = OWN_READ},
    [ROUTE_reward_create] = {.body = "{\"inviter_amount\":\"25\",\"invitee_amount\":\"25\"}",
                             .want = OWN_MAKE},
    [ROUTE_tax_list] = {.want = SELF_200},
    [ROUTE_item_list] = {.want = OWN_READ},
    [ROUTE_item_create] = {.body = "{\"code\":\"vm-#\",\"name\":\"VM\",\"category\":\"vm\"}",
                           .want = OPERATOR_ONLY},
    [ROUTE_item_get] = {.want = OWN_READ},
    [ROUTE_item_change] = {.body = "{\"name\":\"New\"}", .want = PARTY_OWN},
    [ROUTE_meter_list] = {.want = OWN_READ},
    [ROUTE_meter_create] = {.body = "{\"code\":\"m-#\",\"kind\":\"sum\",\"unit\":\"GB\"}",
                            .want = OPERATOR_ONLY},
    [ROUTE_plan_list] = {.want = OPERATOR_ONLY},
    [ROUTE_plan_create] = {.body = "{\"item\":\"vm\",\"code\":\"vm-#\",\"name\":\"VM\",\"charges\":"
                                   "[{\"label\":\"VM\",\"kind\":\"flat\",\"price\":\"1\"}]}",
                           .want = OPERATOR_ONLY},
    [ROUTE_plan_get] = {.want = OWN_READ},
    [ROUTE_plan_change] = {.body = "{\"name\":\"New\"}", .want = PARTY_OWN},
    [ROUTE_price_list] = {.want = BOTH_READ},
    [ROUTE_limit_list] = {.want = BOTH_READ},
    [ROUTE_limit_set] = {.body = "{\"amount\":\"100\"}", .want = PARTY_OWN},
    [ROUTE_subscription_create] = {.body = "{\"plan\":\"house-month\"}", .want = OWN_MAKE},
    [ROUTE_subscription_list] = {.want = OWN_READ},
    [ROUTE_subscription_get] = {.want = BOTH_READ},
    [ROUTE_subscription_change] = {.body = "{\"quantity\":\"2\"}", .want = PARTY_OWN},
    [ROUTE_subscription_end] = {.body = "{}", .want = PARTY_OWN},
    [ROUTE_subscription_rename] = {.body = "{\"name\":\"Web\"}", .want = OTHER_SIGNS},
    [ROUTE_subscription_move] = {.body = "{\"agreement\":\"agr_00000000000000000000000000\"}",
                                 .want = {401, 404, 404, 404, 404, 422, 404, 404}},
    [ROUTE_document_list] = {.want = OWN_READ},
    [ROUTE_document_order] = {.body = "{\"recipient\":\"SPONSOR\",\"lines\":[{\"text\":\"Day\","
                                      "\"income\":\"Services\",\"quantity\":\"1\","
                                      "\"price\":\"100.00\"}]}",
                              .want = OWN_MAKE},
    [ROUTE_document_get] = {.want = BOTH_READ},
    [ROUTE_document_lines] = {.want = BOTH_READ},
    [ROUTE_document_hold] = {.want = PARTY_OWN},
    [ROUTE_document_release] = {.want = PARTY_OWN},
    [ROUTE_document_finalise] = {.want = PARTY_OWN},
    [ROUTE_document_credit] = {.body = "{}", .want = OWN_MAKE},
    [ROUTE_document_write_off] = {.want = PARTY_OWN},
    [ROUTE_book_list] = {.want = OWN_READ},
    [ROUTE_book_transfers] = {.want = OWN_READ},
    [ROUTE_payment_list] = {.want = OWN_READ},
    [ROUTE_payment_create] = {.body = "{\"amount\":\"1.00\",\"currency\":\"EUR\","
                                      "\"reference\":\"#\",\"value_date\":\"2026-11-22\"}",
                              .want = OWN_MAKE},
    [ROUTE_payment_get] = {.want = OWN_READ},
    [ROUTE_payment_return] = {.want = PARTY_OWN},
    [ROUTE_share_list] = {.want = OWN_READ},
    [ROUTE_statement_list] = {.want = OWN_READ},
    [ROUTE_statement_get] = {.want = BOTH_READ},
    [ROUTE_statement_lines] = {.want = BOTH_READ},
    [ROUTE_settlement_create] = {.body = "{\"id\":\"run #\"}", .want = OWN_MAKE},
    [ROUTE_clearing_list] = {.want = OWN_READ},
    [ROUTE_fund_list] = {.want = OWN_READ},
    [ROUTE_fund_create] = {.body = "{\"debtor\":\"SPONSOR\",\"currency\":\"EUR\"}",
                           .want = OPERATOR_ONLY},
    [ROUTE_fund_get] = {.want = OWN_READ},
    /* Nobody owes Clearing that much. */
    [ROUTE_fund_release] = {.want = {401, 404, 404, 403, 403, 403, 409, 409}},
    [ROUTE_fund_withdraw] = {.want = PARTY_OWN},
    [ROUTE_payout_list] = {.want = OWN_READ},
    [ROUTE_payout_get] = {.want = BOTH_READ},
    [ROUTE_payout_approve] = {.want = PARTY_OWN},
    [ROUTE_payout_release] = {.want = PARTY_OWN},
    [ROUTE_payout_confirm] = {.body = "{}", .want = PARTY_OWN},
    [ROUTE_financing_list] = {.want = OWN_READ},
    [ROUTE_financing_create] = {.body = "{\"agreement\":\"agr_00000000000000000000000000\","
                                        "\"label\":\"X\",\"reference\":\"#\",\"amount\":\"1.00\"}",
                                .want = {401, 404, 404, 403, 403, 403, 422, 422}},
    [ROUTE_financing_get] = {.want = BOTH_READ},
    [ROUTE_close_list] = {.want = {401, 403, 404, 404, 403, 404, 404, 404}},
    [ROUTE_close_create] = {.body = "{\"period\":\"2020-01\"}",
                            .want = {401, 403, 404, 403, 403, 404, 404, 404}},
    [ROUTE_close_get] = {.want = OPERATOR_200},
    [ROUTE_close_exceptions] = {.want = OPERATOR_200},
    [ROUTE_close_approve] = {.want = OPERATOR_200},
    [ROUTE_wallet_list] = {.want = OWN_READ},
    [ROUTE_wallet_create] = {.body = "{\"client\":\"SPONSOR\",\"kind\":\"promo\","
                                     "\"currency\":\"EUR\",\"amount\":\"25.00\"}",
                             .want = OWN_MAKE},
    [ROUTE_wallet_get] = {.want = BOTH_READ},
    [ROUTE_exchange_rate_list] = {.want = OWN_READ},
    [ROUTE_exchange_rate_create] = {.body = "{\"from\":\"USD\",\"to\":\"EUR\",\"rate\":\"0.9\","
                                            "\"date\":\"2025-01-01\",\"source\":\"ECB\"}",
                                    .want = OWN_MAKE},
    [ROUTE_exchange_rate_get] = {.want = OWN_READ},
    [ROUTE_coupon_list] = {.want = OWN_READ},
    [ROUTE_coupon_create] = {.body = "{\"code\":\"C#\",\"percent\":\"10\"}", .want = OWN_MAKE},
    [ROUTE_coupon_get] = {.want = OWN_READ},
    [ROUTE_usage_take] = {.body = "[]", .want = {401, 403, 422, 403, 403, 422, 422, 422}},
    [ROUTE_usage_list] = {.want = {401, 404, 404, 200, 403, 200, 200, 200}},
    [ROUTE_suspension_list] = {.want = OWN_READ},
    [ROUTE_usage_conflicts] = {.want = OWN_READ},
    [ROUTE_usage_conflict_see] = {.want = PARTY_OWN},
    [ROUTE_usage_sources] = {.want = OWN_READ},
    [ROUTE_usage_bind] = {.body = "{\"source\":\"urn:pop:node\"}", /* the operator's to give */
                          .want = {401, 404, 404, 403, 403, 403, 422, 422}},
    [ROUTE_site_list] = {.want = OWN_READ},
    [ROUTE_site_create] = {.body = "{\"name\":\"PAR\",\"country\":\"FR\",\"city\":\"Paris\"}",
                           .want = OWN_MAKE},
    [ROUTE_site_get] = {.want = OWN_READ},
    [ROUTE_site_change] = {.body = "{\"city\":\"Lyon\"}", .want = PARTY_OWN},
    [ROUTE_node_list] = {.want = OWN_READ},
    [ROUTE_node_create] = {.body = "{\"name\":\"n1\"}", .want = OWN_MAKE},
    [ROUTE_node_get] = {.want = OWN_READ},
    [ROUTE_node_change] = {.body = "{\"name\":\"n2\"}", .want = PARTY_OWN},
    /* Its owner's alone, who has said nothing yet, and then does. */
    [ROUTE_node_cost_get] = {.want = {401, 404, 404, 404, 403, 403, 404, 404}},
    [ROUTE_node_cost_set] = {.body = "{\"currency\":\"EUR\"}", .want = PARTY_OWN},
    [ROUTE_node_services] = {.want = OWN_READ},
    [ROUTE_node_drain] = {.want = PARTY_OWN},
    [ROUTE_node_evacuate] = {.want = {401, 404, 404, 403, 403, 403, 409, 409}},
    [ROUTE_node_disable] = {.want = PARTY_OWN},
    [ROUTE_node_enable] = {.want = {401, 404, 404, 403, 403, 403, 409, 409}},
    [ROUTE_node_revoke] = {.want = PARTY_OWN},
    [ROUTE_node_token] = {.want = PARTY_OWN},
    [ROUTE_kind_list] = {.want = SELF_200},
    [ROUTE_kind_get] = {.want = SELF_200},
    [ROUTE_kind_create] = {.body = "{\"text\":\"name: x\"}",
                           .want = {401, 404, 404, 403, 403, 403, 422, 422}},
    [ROUTE_offer_list] = {.want = OWN_READ},
    [ROUTE_offer_create] = {.body = "{\"plan\":\"x\",\"kind\":\"y\"}", .want = OPERATOR_ONLY},
    [ROUTE_offer_get] = {.want = OWN_READ},
    [ROUTE_image_list] = {.want = OWN_READ},
    [ROUTE_image_create] = {.body = "{\"name\":\"x\",\"file\":\"y\",\"format\":\"raw\"}",
                            .want = OPERATOR_ONLY},
    [ROUTE_image_piece] = {.body = "x", .want = OPERATOR_ONLY},
    [ROUTE_image_get] = {.want = OWN_READ},
    [ROUTE_service_list] = {.want = OWN_READ},
    [ROUTE_service_order] = {.body = "{\"agreement\":\"agr_00000000000000000000000000\","
                                     "\"plan\":\"x\"}",
                             .want = {401, 404, 404, 403, 403, 403, 422, 422}},
    [ROUTE_service_price] = {.body = "{\"agreement\":\"agr_00000000000000000000000000\","
                                     "\"plan\":\"x\"}",
                             .want = {401, 404, 404, 403, 403, 403, 422, 422}},
    [ROUTE_service_get] = {.want = BOTH_READ},
    [ROUTE_service_connection] = {.want = PARTY_OWN},
    [ROUTE_service_operations] = {.want = BOTH_READ},
    [ROUTE_operation_get] = {.want = BOTH_READ},
    [ROUTE_service_approve] = {.want = {401, 404, 404, 404, 404, 409, 404, 404}},
    [ROUTE_service_refuse] = {.want = {401, 404, 404, 404, 404, 409, 404, 404}},
    [ROUTE_service_stop] = {.want = PARTY_OWN},
    [ROUTE_service_start] = {.want = {401, 404, 404, 403, 403, 403, 409, 409}},
    [ROUTE_service_restart] = {.want = {401, 404, 404, 403, 403, 403, 409, 409}},
    [ROUTE_service_move] = {.want = {401, 404, 404, 403, 403, 403, 409, 409}},
    [ROUTE_service_resize] = {.body = "{}", .want = PARTY_OWN},
    [ROUTE_service_rename] = {.body = "{\"name\":\"Web\"}", .want = PARTY_OWN},
    [ROUTE_service_cancel] = {.want = PARTY_OWN},
    [ROUTE_service_promises] = {.want = BOTH_READ},
    [ROUTE_node_promises] = {.want = OWN_READ},
    [ROUTE_site_promises] = {.want = OWN_READ},
    [ROUTE_service_availability] = {.want = BOTH_READ},
    [ROUTE_vantage_get] = {.want = BOTH_READ},
    [ROUTE_vantage_set] = {.body = "{}", .want = {401, 404, 404, 403, 403, 200, 200, 200}},
    [ROUTE_vantage_site] = {.want = OWN_READ},
    [ROUTE_vantage_node] = {.want = OWN_READ},
    [ROUTE_alert_list] = {.want = OWN_READ},
    [ROUTE_alert_create] = {.body = "{\"name\":\"night\",\"url\":\"https://example.net/#\"}",
                            .want = OWN_MAKE},
    [ROUTE_alert_get] = {.want = OWN_READ},
    [ROUTE_alert_change] = {.body = "{\"name\":\"day\"}", .want = PARTY_OWN},
    [ROUTE_alert_delete] = {.want = {401, 404, 404, 403, 403, 403, 204, 204}},
    [ROUTE_alert_secret] = {.want = PARTY_OWN},
    [ROUTE_alert_confirm] = {.body = "{}", .want = {401, 404, 404, 403, 403, 403, 409, 409}},
    [ROUTE_alert_test] = {.want = OWN_MAKE},
    [ROUTE_alert_deliveries] = {.want = OWN_READ},
    [ROUTE_work_kind_list] = {.want = SELF_200},
    [ROUTE_work_kind_put] = {.body = "{\"code\":\"x\",\"title\":\"X\"}", .want = OPERATOR_ONLY},
    [ROUTE_work_order_list] = {.want = OWN_READ},
    [ROUTE_work_order_open] = {.body = "{\"node\":\"nod_00000000000000000000000000\","
                                       "\"kind\":\"rma\"}",
                               .want = {401, 404, 404, 403, 403, 403, 422, 422}},
    [ROUTE_work_order_get] = {.want = BOTH_READ},
    [ROUTE_work_order_change] = {.body = "{\"fee\":\"20.00\"}", .want = PARTY_OWN},
    [ROUTE_work_order_assign] = {.body = "{\"manager\":\"SPONSOR\"}", .want = PARTY_OWN},
    [ROUTE_work_order_accept] = {.body = "{}", .want = OTHER_SIGNS},
    [ROUTE_work_order_decline] = {.body = "{}", .want = OTHER_SIGNS},
    [ROUTE_work_order_done] = {.body = "{}", .want = OTHER_SIGNS},
    [ROUTE_work_order_return] = {.body = "{}", .want = PARTY_OWN},
    [ROUTE_work_order_cancel] = {.body = "{}", .want = PARTY_OWN},
    [ROUTE_work_step_list] = {.want = BOTH_READ},
    [ROUTE_work_step_add] = {.body = "{\"text\":\"seen\"}",
                             .want = {401, 404, 404, 403, 403, 201, 201, 201}},
    [ROUTE_work_photo_add] = {.body = "x", .want = {401, 404, 404, 403, 403, 422, 422, 422}},
    [ROUTE_work_photo_get] = {.want = BOTH_READ},
    /* Nodes alone: no person, whatever they hold. */
    [ROUTE_agent_enrol] = {.body = "{\"token\":\"x\",\"key\":\"0000000000000000000000000000000000"
                                   "000000000000000000000000000000\"}",
                           .want = {401, 401, 401, 401, 401, 401, 401, 401}},
    [ROUTE_agent_desired] = {.want = NODES_ALONE},
    [ROUTE_agent_report] = {.body = "{}", .want = NODES_ALONE},
    [ROUTE_agent_image] = {.want = NODES_ALONE},
    [ROUTE_backup_list] = {.want = BOTH_READ},
    [ROUTE_backup_get] = {.want = BOTH_READ},
    /* What was ordered does not run yet. */
    [ROUTE_service_backup] = {.want = {401, 404, 404, 403, 403, 403, 409, 409}},
    [ROUTE_service_restore] = {.body = "{\"backup\":\"bak_00000000000000000000000000\"}",
                               .want = {401, 404, 404, 403, 403, 403, 501, 501}},
    [ROUTE_snapshot_list] = {.want = BOTH_READ},
    [ROUTE_snapshot_get] = {.want = BOTH_READ},
    /* What was ordered is a container. */
    [ROUTE_snapshot_take] = {.body = "{\"name\":\"now\"}",
                             .want = {401, 404, 404, 403, 403, 403, 409, 409}},
    [ROUTE_snapshot_revert] = {.want = {401, 404, 404, 403, 403, 403, 409, 409}},
    [ROUTE_snapshot_delete] = {.want = {401, 404, 404, 403, 403, 403, 409, 409}},
    [ROUTE_service_drill] = {.body = "{}", .want = {401, 404, 404, 403, 403, 403, 501, 501}},
    [ROUTE_drill_list] = {.want = BOTH_READ},
    [ROUTE_drill_plan_get] = {.want = BOTH_READ},
    /* What was ordered is never backed up. */
    [ROUTE_drill_plan_set] = {.body = "{\"every_days\":30}",
                              .want = {401, 404, 404, 403, 403, 409, 409, 409}},
    [ROUTE_service_upgrade] = {.body = "{}", .want = {401, 404, 404, 403, 403, 403, 409, 409}},
    [ROUTE_upgrade_list] = {.want = BOTH_READ},
    [ROUTE_agent_probes] = {.want = NODES_ALONE},
    [ROUTE_agent_probes_told] = {.body = "{\"results\":[]}", .want = NODES_ALONE},
    [ROUTE_agent_backups] = {.want = NODES_ALONE},
    [ROUTE_agent_backup_get] = {.want = NODES_ALONE},
    [ROUTE_agent_backup_piece] = {.body = "x", .want = NODES_ALONE},
    [ROUTE_agent_backup_told] = {.body = "{\"kind\":\"hold\"}", .want = NODES_ALONE},
    [ROUTE_agent_usage] = {.body = "[]", .want = NODES_ALONE},
    [ROUTE_page_home] = {.want = PUBLIC_200},
    [ROUTE_page_invite] = {.want = PUBLIC_200},
    [ROUTE_page_accept] = {.body = "email=form#@example.net&name=Form&password=a+long+passphrase+7",
                           .want = PUBLIC_200},
    [ROUTE_page_problem] = {.want = PUBLIC_200},
};

/* One of each for each caller, so that what one does is nothing to the next. */
struct objects {
    struct house *house;
    struct str users[WHO_COUNT]; /* members of the client */
    struct str tokens[WHO_COUNT];
    struct str sessions[WHO_COUNT]; /* carl's */
    struct str invitations[WHO_COUNT];
    struct str links[WHO_COUNT]; /* their tokens */
    struct str named[WHO_COUNT]; /* what {id} of the route names */
    const struct route *route;
    struct guest narrow;
};

static struct str first_id(struct tx *tx, struct house *h, const char *sql, struct str user)
{
    struct rows rows;
    OK(tx, sql_rows(tx, &rows, sql, V(user)));
    ck_assert_uint_gt(rows.count, 0);
    return arena_str(&h->arena, row_str(&rows, 0, 0));
}

static void make_invitation(struct tx *tx, struct objects *o, int who)
{
    struct house *h = o->house;
    struct caller carl = by_session(h->carl.user);
    struct invitation made;
    struct invitation fresh = {.party = h->client, .joins = true, .role = STR("reader")};
    fresh.set = UINT64_C(1) << schema_find(&invitation_schema, STR("joins")) |
                UINT64_C(1) << schema_find(&invitation_schema, STR("role"));
    OK(tx, invitation_create(tx, &carl, &fresh, STR("http://cloud.test"), &made));
    o->invitations[who] = arena_str(&h->arena, made.id);
    o->links[who] = arena_str(&h->arena, invitation_token_of(made.link));
}

/* --- the channel --- */

static struct str make_draft_with(struct tx *tx, struct house *h, struct str other)
{
    struct agreement a;
    struct rule rule = {.kind = RULE_PERCENT, .value = STR("5")};
    struct agreement fresh = {
        .kind = AGREEMENT_REFERRAL, .from = h->client, .to = other, .terms = {.rules = {&rule, 1}}};
    OK(tx, agreement_create(tx, &fresh, &a));
    return a.id;
}

static struct str make_draft(struct tx *tx, struct house *h)
{
    return make_draft_with(tx, h, h->reseller);
}

static struct str make_offer(struct tx *tx, struct house *h)
{
    struct agreement a;
    OK(tx, agreement_offer(tx, make_draft(tx, h), &a));
    return a.id;
}

/* To somebody whom the client sponsors, and who has no members. */
static struct str make_offer_below(struct tx *tx, struct house *h)
{
    struct agreement a;
    struct str below = make_party(tx, "Below", h->client);
    OK(tx, agreement_offer(tx, make_draft_with(tx, h, below), &a));
    return a.id;
}

static struct str make_client_book(struct tx *tx, struct house *h)
{
    return make_book(tx, h->client, id_new(tx->ids, tx->arena, "bok").p);
}

/* --- documents --- */

/* An invoice of the client's to its sponsor. */
static struct str make_invoice_draft(struct tx *tx, struct house *h)
{
    struct draft_line line = {.text = STR("Day"),
                              .income = STR("Services"),
                              .quantity = {1, 0},
                              .unit = STR("C62"),
                              .price = {10000, 2},
                              .net = 10000};
    struct draft d = {.code = DOCUMENT_INVOICE,
                      .issuer = h->client,
                      .recipient = h->reseller,
                      .currency = currency_find(STR("EUR")),
                      .lines = &line,
                      .count = 1};
    struct document made;
    OK(tx, document_draft(tx, &d, &made));
    return made.id;
}

static struct str make_invoice(struct tx *tx, struct house *h)
{
    struct document final;
    OK(tx, document_finalise(tx, h->ledger, make_invoice_draft(tx, h), &final));
    return final.id;
}

/* --- the catalogue --- */

/* What the operator sells, made with the first that needs it. */
static void stock(struct tx *tx, struct house *h)
{
    struct plan plan;
    if (plan_find(tx, STR("house-month"), &plan) != RC_OK)
        (void)make_flat(tx, h->op, "house", PLAN_MONTH, "50.00");
    err_clear(tx->err);
}

/* A code is unique; ids are too, but for capital letters. */
static const char *fresh_code(struct tx *tx)
{
    struct rows rows;
    OK(tx, sql_rows(tx, &rows, "SELECT COUNT(*) FROM item"));
    return arena_fmt(tx->arena, "item-%lld", (long long)row_int(&rows, 0, 0)).p;
}

/* The client sells what it buys from the operator to the reseller. */
static struct str make_resale(struct tx *tx, struct house *h)
{
    stock(tx, h);
    struct str upper = make_supply(tx, h->op, h->client, STR(""), STR(""));
    return make_supply(tx, h->client, h->reseller, upper, STR(""));
}

static struct str make_sold(struct tx *tx, struct house *h)
{
    return make_subscription(tx, make_resale(tx, h), STR("house-month"), "1").id;
}

static struct str make_client_item(struct tx *tx, struct house *h)
{
    return make_item(tx, h->client, fresh_code(tx));
}

static struct str make_client_plan(struct tx *tx, struct house *h)
{
    return make_flat(tx, h->client, fresh_code(tx), PLAN_MONTH, "1").id;
}

/* --- the fleet --- */

static struct str make_client_site(struct tx *tx, struct house *h)
{
    return make_site(tx, h->client, "FR");
}

static struct str make_client_node(struct tx *tx, struct house *h)
{
    struct node n;
    struct node fresh = {.name = STR("n")};
    OK(tx, node_create(tx, make_client_site(tx, h), &fresh, &n));
    return n.id;
}

static struct str make_ready_node(struct tx *tx, struct house *h)
{
    struct shop s = {.site = make_client_site(tx, h), .seal = h->seal};
    return make_node(tx, &s, "n", 64);
}

static struct str make_any_kind(struct tx *tx, struct house *h)
{
    struct kind k;
    if (kind_find(tx, STR("web"), &k) != RC_OK) {
        struct image image;
        struct image fresh = {
            .name = STR("web"),
            .sha256 = STR("00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"),
            .bytes = 1,
            .format = STR("squashfs")};
        err_clear(tx->err);
        make_kind(tx, h->op, FLEET_PROFILE);
        OK(tx, image_create(tx, h->op, &fresh, &image));
    }
    return STR("web");
}

static struct plan make_sold_kind(struct tx *tx, struct house *h)
{
    struct str code = id_new(tx->ids, tx->arena, "itm");
    struct plan plan = make_flat(
        tx, h->op, arena_fmt(tx->arena, "%.*s", STRF(str_sub(code, 4, 30))).p, PLAN_MONTH, "1.00");
    (void)make_any_kind(tx, h);
    return plan;
}

static struct str make_client_offer(struct tx *tx, struct house *h)
{
    struct offer o;
    struct offer fresh = {.plan = make_sold_kind(tx, h).id, .kind = STR("web")};
    OK(tx, offer_create(tx, h->client, &fresh, &o));
    return o.id;
}

static struct str make_client_image(struct tx *tx, struct house *h)
{
    struct image image;
    struct image fresh = {.name = STR("x"), .sha256 = STR("00"), .bytes = 1, .format = STR("raw")};
    OK(tx, image_create(tx, h->client, &fresh, &image));
    return image.id;
}

/* Bought of its sponsor. */
static struct str make_client_service(struct tx *tx, struct house *h)
{
    struct service v;
    struct plan plan = make_sold_kind(tx, h);
    make_sale(tx, h->op, plan.id, "web", NULL, false);
    (void)make_ready_node(tx, h);
    struct str upper = make_supply(tx, h->op, h->reseller, STR(""), STR(""));
    struct service_order o = {.agreement = make_supply(tx, h->reseller, h->client, upper, STR("")),
                              .plan = plan.id};
    OK(tx, service_order(tx, &h->seal, h->client, &o, &v));
    return v.id;
}

static struct str make_client_backup(struct tx *tx, struct house *h)
{
    struct backup b;
    struct str service = make_client_service(tx, h);
    OK(tx, sql_run(tx, "UPDATE service SET state = 'running' WHERE id = $1", V(service)));
    OK(tx, backup_plan(tx, service, 0, false));
    OK(tx, backup_ask(tx, service, &b));
    return b.id;
}

/* Of a container there is none: one that is being taken, for who may see it. */
static struct str make_client_snapshot(struct tx *tx, struct house *h)
{
    struct str id = id_new(tx->ids, tx->arena, "snp");
    OK(tx, sql_run(tx,
                   "INSERT INTO snapshot (id, service, client, name, state, memory_bytes, "
                   "room_bytes, reverts, reason, asked, taken) "
                   "VALUES ($1, $2, $3, 'x', 'wanted', 0, 0, 0, '', 1, 0)",
                   V(id), V(make_client_service(tx, h)), V(h->client)));
    return id;
}

static struct str make_client_operation(struct tx *tx, struct house *h)
{
    struct page page;
    struct page_query q = {0};
    OK(tx, operation_list(tx, make_client_service(tx, h), &q, &page));
    return ((struct operation *)page.items.items)[0].id;
}

/* Asked of its sponsor. */
static struct work_order make_work(struct tx *tx, struct house *h)
{
    struct work_order w;
    OK(tx, work_kind_seed(tx));
    struct work_order fresh = {
        .node = make_client_node(tx, h), .kind = STR("rma"), .manager = h->reseller};
    OK(tx, work_order_open(tx, h->client, &fresh, &w));
    return w;
}

static struct str make_work_open(struct tx *tx, struct house *h)
{
    return make_work(tx, h).id;
}

static struct str make_work_accepted(struct tx *tx, struct house *h)
{
    struct work_order w = make_work(tx, h);
    OK(tx, work_order_act(tx, h->reseller, w.id, WORK_ACCEPT, STR(""), &w));
    return w.id;
}

static struct str make_work_done(struct tx *tx, struct house *h)
{
    struct work_order w;
    OK(tx, work_order_act(tx, h->reseller, make_work_accepted(tx, h), WORK_FINISH, STR(""), &w));
    return w.id;
}

static struct str make_work_step(struct tx *tx, struct house *h)
{
    static const char pixel[] = "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x8\0\0\0\0CRCS"
                                "\0\0\0\0IDATCRCS\0\0\0\0IENDCRCS";
    struct work_step s;
    struct str photo = str_n(pixel, sizeof pixel - 1);
    OK(tx, work_step_add(tx, h->client, make_work(tx, h).id, STR("seen"), photo, &s));
    return s.id;
}

/* What {id} names below a path, made anew for each caller: one line a kind of thing, the last that
 * fits. The client is its owner; its sponsor, the reseller, the other side where there is one. */
static struct str make_payment(struct tx *tx, struct house *h)
{
    struct payment made;
    struct payment fresh = {.amount = STR("12.00"),
                            .currency = STR("EUR"),
                            .reference = id_new(tx->ids, tx->arena, "ref"),
                            .value_date = STR("2026-11-22")};
    OK(tx, payment_book(tx, h->ledger, h->client, &fresh, &made));
    return made.id;
}

static struct str make_statement(struct tx *tx, struct house *h)
{
    struct rows rows;
    struct str id = id_new(tx->ids, tx->arena, "stm");
    OK(tx, sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) + 1 FROM statement"));
    OK(tx, sql_run(tx,
                   "INSERT INTO statement (no, id, payee, payer, period, currency, accrued, "
                   "earned, clawed_back, waiting, payable, created) VALUES ($1, $2, $3, $4, "
                   "'2026-11', 'EUR', 1, 1, 0, 0, 1, 0)",
                   V(row_int(&rows, 0, 0)), V(id), V(h->client), V(h->reseller)));
    return id;
}

static struct str make_financing(struct tx *tx, struct house *h)
{
    struct rows rows;
    struct str id = id_new(tx->ids, tx->arena, "fin");
    OK(tx, sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) + 1 FROM financing"));
    OK(tx, sql_run(tx,
                   "INSERT INTO financing (no, id, agreement, label, financier, debtor, client, "
                   "reference, currency, amount, returns, received, created) VALUES ($1, $2, "
                   "'agr', 'Capital', $3, $4, $4, $2, 'EUR', 100, 100, 0, 0)",
                   V(row_int(&rows, 0, 0)), V(id), V(h->client), V(h->reseller)));
    return id;
}

static struct str make_payout(struct tx *tx, struct house *h, enum payout_state state)
{
    struct rows rows;
    struct str id = id_new(tx->ids, tx->arena, "pyo");
    OK(tx, sql_rows(tx, &rows, "SELECT COALESCE(MAX(no), 0) + 1 FROM payout"));
    OK(tx, sql_run(tx,
                   "INSERT INTO payout (no, id, payer, payee, book, amount, currency, iban, "
                   "end_to_end, state, approved_by, settlement, created) VALUES ($1, $2, $3, $4, "
                   "$3, 1, 'EUR', 'FR1420041010050500013M02606', 'E2E', $5, 'usr_other', 's', 0)",
                   V(row_int(&rows, 0, 0)), V(id), V(h->client), V(h->reseller),
                   V(payout_states[state])));
    return id;
}

static struct str make_payout_pending(struct tx *tx, struct house *h)
{
    return make_payout(tx, h, PAYOUT_PENDING);
}

static struct str make_payout_approved(struct tx *tx, struct house *h)
{
    return make_payout(tx, h, PAYOUT_APPROVED);
}

static struct str make_payout_sent(struct tx *tx, struct house *h)
{
    return make_payout(tx, h, PAYOUT_SENT);
}

/* One that waits for a review; closes belong to the operator. */
static struct str make_close(struct tx *tx, struct house *h)
{
    struct rows rows;
    struct str id = id_new(tx->ids, tx->arena, "cls");
    (void)h;
    OK(tx, sql_rows(tx, &rows,
                    "SELECT (SELECT COALESCE(MAX(c.no), 0) + 1 FROM close c), p.id FROM party p "
                    "WHERE p.sponsor IS NULL ORDER BY p.id LIMIT 1"));
    OK(tx,
       sql_run(tx,
               "INSERT INTO close (no, id, party, period, since, begin_at, end_at, step, "
               "review, dry, at_agreement, at_client, at_id, at_number, done, total, lines, "
               "documents, first_document, last_document, exceptions, started, seen, finished) "
               "VALUES ($1, $2, $3, '2020-01', 0, 0, 1, $4, 1, 1, '', '', '', 0, 0, 0, 0, 0, "
               "0, 0, 0, 0, 0, 0)",
               V(row_int(&rows, 0, 0)), V(id), V(row_str(&rows, 0, 1)), V((int64_t)CLOSE_REVIEW)));
    return id;
}

static struct str make_wallet(struct tx *tx, struct house *h)
{
    struct wallet made;
    struct wallet fresh = {.client = h->reseller,
                           .kind = WALLET_PROMO,
                           .currency = STR("EUR"),
                           .amount = STR("25.00")};
    OK(tx, wallet_create(tx, h->ledger, h->client, &fresh, &made));
    return made.id;
}

static struct str make_client_alert(struct tx *tx, struct house *h)
{
    struct alert made;
    struct alert fresh = {.name = STR("night"), .url = STR("https://example.net/")};
    OK(tx, alert_create(tx, &h->seal, h->client, &fresh, &made));
    return made.id;
}

static struct str make_usage_conflict(struct tx *tx, struct house *h)
{
    struct str id = id_new(tx->ids, tx->arena, "ucf");
    OK(tx, sql_run(tx,
                   "INSERT INTO usage_conflict (id, source, party, event, text, created) "
                   "VALUES ($1, 'urn:n', $2, $1, 'taken', 0)",
                   V(id), V(h->client)));
    return id;
}

static const struct {
    const char *path;
    struct str (*make)(struct tx *tx, struct house *h);
} makers[] = {
    {"/v1/alerts", make_client_alert},
    {"/v1/closes", make_close},
    {"/v1/sites", make_client_site},
    {"/v1/nodes", make_client_node},
    {"/v1/nodes/{id}/actions/d", make_ready_node},
    {"/v1/offers", make_client_offer},
    {"/v1/images", make_client_image},
    {"/v1/services", make_client_service},
    {"/v1/operations", make_client_operation},
    {"/v1/backups", make_client_backup},
    {"/v1/snapshots", make_client_snapshot},
    {"/v1/kinds", make_any_kind},
    {"/v1/work-orders", make_work_open},
    {"/v1/work-orders/{id}/actions/done", make_work_accepted},
    {"/v1/work-orders/{id}/actions/return", make_work_done},
    {"/v1/work-steps", make_work_step},
    {"/v1/wallets", make_wallet},
    {"/v1/coupons", make_coupon},
    {"/v1/exchange-rates", make_exchange_rate},
    {"/v1/clearing-funds", make_fund},
    {"/v1/payments", make_payment},
    {"/v1/statements", make_statement},
    {"/v1/financings", make_financing},
    {"/v1/payouts", make_payout_pending},
    {"/v1/payouts/{id}/actions/release", make_payout_approved},
    {"/v1/payouts/{id}/actions/confirm", make_payout_sent},
    {"/v1/agreements", make_offer},
    {"/v1/agreements/{id}/actions/offer", make_draft},
    {"/v1/agreements/{id}/actions/sign-for", make_offer_below},
    {"/v1/price-books", make_client_book},
    {"/v1/agreements/{id}/prices", make_resale},
    {"/v1/agreements/{id}/limits", make_resale},
    {"/v1/agreements/{id}/subscriptions", make_resale},
    {"/v1/subscriptions", make_sold},
    {"/v1/items", make_client_item},
    {"/v1/plans", make_client_plan},
    {"/v1/usage-conflicts", make_usage_conflict},
    {"/v1/documents", make_invoice},
    {"/v1/documents/{id}/actions/", make_invoice_draft},
    {"/v1/documents/{id}/actions/credit", make_invoice},
    {"/v1/documents/{id}/actions/write-off", make_invoice},
};

static void make_named(struct tx *tx, struct objects *o, int who)
{
    struct str path = str_c(o->route->path);
    o->named[who] = o->invitations[who];
    if (str_starts(path, STR("/v1/tokens")))
        o->named[who] = o->tokens[who];
    if (str_starts(path, STR("/v1/me/sessions")))
        o->named[who] = o->sessions[who];
    for (size_t i = 0; i < COUNT(makers); i++)
        if (str_starts(path, str_c(makers[i].path)))
            o->named[who] = arena_str(&o->house->arena, makers[i].make(tx, o->house));
}

static enum rc make_objects(struct tx *tx, void *arg)
{
    struct objects *o = arg;
    struct house *h = o->house;
    for (int who = 0; who < WHO_COUNT; who++) {
        const char *name = arena_fmt(&h->arena, "victim%d", who).p;
        o->users[who] = arena_str(&h->arena, make_member(tx, name, h->client, "reader"));
        give_token(tx, &h->arena, h->carl.user, PERM_BIT(PERM_SELF_READ));
        o->tokens[who] =
            first_id(tx, h, "SELECT id FROM token WHERE user_id = $1 ORDER BY id DESC LIMIT 1",
                     h->carl.user);
        struct session_order s = {.house = h, .user = h->carl.user};
        OK(tx, open_session(tx, &s));
        o->sessions[who] =
            first_id(tx, h, "SELECT id FROM session WHERE user_id = $1 ORDER BY id DESC LIMIT 1",
                     h->carl.user);
        make_invitation(tx, o, who);
        make_named(tx, o, who);
    }
    /* The owner's token, without what the route asks for. */
    uint64_t scopes = h->carl.held;
    enum permission wanted = o->route->permission;
    if (wanted == PERM_NONE)
        scopes = PERM_BIT(PERM_SELF_READ);
    else
        scopes &= ~PERM_BIT(wanted);
    if (wanted != PERM_NONE && permission_twin(wanted) != PERM_NONE)
        scopes &= ~PERM_BIT(permission_twin(wanted));
    o->narrow.credentials = bearer(&h->arena, give_token(tx, &h->arena, h->carl.user, scopes));
    return RC_OK;
}

static struct str fill_path(const struct objects *o, int who)
{
    struct house *h = o->house;
    struct str path = str_c(o->route->path);
    struct pair values[] = {
        {STR("party"), h->client},     {STR("user"), o->users[who]},
        {STR("id"), o->named[who]},    {STR("token"), o->links[who]},
        {STR("kind"), STR("web")},     {STR("sha256"), STR("00")},
        {STR("slug"), STR("invalid")}, {STR("backup"), STR("bak_00000000000000000000000000")}};
    struct buf b;
    buf_init(&b, &h->arena, 1000);
    while (path.n > 0) {
        bool has_name = str_find(path, '{', 0) < path.n;
        buf_add(&b, str_cut(&path, '{'));
        if (!has_name)
            break;
        struct str name = str_cut(&path, '}');
        for (size_t i = 0; i < COUNT(values); i++)
            if (str_eq(values[i].name, name))
                buf_add(&b, values[i].value);
    }
    return buf_str(&b);
}

static struct str fill_body(const struct objects *o, const struct expectation *e, int who)
{
    const char *form = who != NOBODY && e->user_body != NULL ? e->user_body : e->body;
    struct buf b;
    buf_init(&b, &o->house->arena, 10000);
    for (const char *at = form; at != NULL && *at != '\0'; at++) {
        if (*at == '#') {
            buf_add_i64(&b, who);
        } else if (strncmp(at, "SPONSOR", 7) == 0) {
            buf_add(&b, o->house->reseller);
            at += 6;
        } else if (strncmp(at, "TOKEN", 5) == 0) {
            buf_add(&b, o->links[who]);
            at += 4;
        } else {
            buf_add_char(&b, *at);
        }
    }
    return buf_str(&b);
}

/* The status of a stream, which does not end by itself. */
static struct answer ask_stream(struct house *h, const struct guest *who, struct str path)
{
    struct str text = arena_fmt(&h->arena, "GET %.*s HTTP/1.1\r\nHost: cloud.test\r\n%.*s\r\n",
                                STRF(path), STRF(who ? who->credentials : STR("")));
    char *reply = arena_alloc(&h->arena, PROBE_TEXT_MAX);
    size_t n = 0;
    int fd = probe_connect(http_address(h->server));
    ck_assert(probe_send(fd, text));
    while (strstr(reply, "\r\n\r\n") == NULL)
        ck_assert(probe_more(fd, reply, &n));
    close(fd);
    return (struct answer){.status = probe_status(reply), .head = str_n(reply, n)};
}

static void try_caller(struct objects *o, const struct expectation *e, int who)
{
    struct house *h = o->house;
    house_advance(h, 20 * US_PER_MINUTE); /* what one tried too often is forgotten for the next */
    struct session_order session = house_session(h, h->carl.user);
    struct guest browser = {.credentials = cookie(h, &session)};
    const struct guest *guests[WHO_COUNT] = {NULL,       &h->lea,  &h->tom,  &h->rolf,
                                             &o->narrow, &h->rita, &h->carl, &browser};
    const struct route *r = o->route;
    struct str path = fill_path(o, who);
    struct str headers = STR("");
    if (r->flags & ROUTE_NEEDS_MATCH)
        headers = STR("If-Match: *\r\n");
    if (r->flags & ROUTE_HIDDEN)
        headers = STR("Content-Type: application/x-www-form-urlencoded\r\n");
    if (r->flags & ROUTE_RAW)
        headers = arena_fmt(&h->arena, "Content-Type: %s\r\n", r->takes[0]);
    struct answer a = r->kind == ROUTE_STREAM ? ask_stream(h, guests[who], path)
                                              : ask(h, guests[who], method_name(r->method), path,
                                                    headers, fill_body(o, e, who));
    ck_assert_msg(a.status == e->want[who], "%s by %s: %d, wanted was %d: %.*s%.*s", r->operation,
                  who_names[who], a.status, e->want[who], STRF(a.head), STRF(a.body));
}

START_TEST(every_route_answers_every_kind_of_caller_as_it_should)
{
    const struct route *r = &routes[_i];
    const struct expectation *e = &expectations[_i];
    struct house *h = house_open();
    struct objects o = {.house = h, .route = r};
    /* Ids of one instant from two writers (PostgreSQL) come in no order, and make_objects looks for
     * the newest. */
    house_advance(h, US_PER_SECOND);
    house_write(h, make_objects, &o);
    for (int who = 0; who < WHO_COUNT; who++) {
        ck_assert_msg(e->want[who] != 0, "%s has no expectation for %s", r->operation,
                      who_names[who]);
        try_caller(&o, e, who);
    }
    house_close(h);
}
END_TEST

Suite *access_suite(void);
Suite *access_suite(void)
{
    Suite *s = suite_create("access");
    TCase *c = tcase_create("access");
    tcase_set_timeout(c, 60);
    tcase_add_loop_test(c, every_route_answers_every_kind_of_caller_as_it_should, 0, ROUTE_COUNT);
    suite_add_tcase(s, c);
    return s;
}
