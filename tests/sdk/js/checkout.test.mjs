// A storefront on the official JavaScript SDK, unmodified: rules, free units, stacks, qualification.
import assert from "node:assert/strict";
import test from "node:test";

import sdk from "@voucherify/sdk";

const { VoucherifyClientSide, VoucherifyServerSide } = sdk;
const { API_URL, APP_ID, APP_TOKEN, CLIENT_ID, CLIENT_TOKEN } = process.env;

const api = VoucherifyServerSide({ apiUrl: API_URL, applicationId: APP_ID, secretKey: APP_TOKEN });
const browser = VoucherifyClientSide({
  apiUrl: API_URL,
  clientApplicationId: CLIENT_ID,
  clientSecretKey: CLIENT_TOKEN,
  origin: "https://shop.example",
  trackingId: "visitor-2",
});

const unique = `${Date.now().toString(36)}c`;
const customer = { source_id: `buyer-${unique}` };
const amount = { type: "AMOUNT", amount_off: 1000 };
const big = { name: "order.amount", conditions: { $more_than: [5000] }, error: { message: "Spend more" } };

const codeOf = async (discount, more = {}) =>
  (await api.vouchers.create({ type: "DISCOUNT_VOUCHER", discount, ...more })).code;
const guardedCode = async (discount, rule) => {
  const code = await codeOf(discount);
  const { id } = await api.validationRules.create({ name: `Rule ${unique}`, ...rule });
  await api.validationRules.createAssignment(id, { voucher: code });
  return code;
};
const redeemablesOf = (...ids) =>
  ids.map((id) => ({ object: id.startsWith("promo_") ? "promotion_tier" : id.startsWith("stack_") ? "promotion_stack" : "voucher", id }));

test("rules are created, read, updated, listed, assigned and deleted", async () => {
  const code = await codeOf(amount);
  const made = await api.validationRules.create({ name: `Big ${unique}`, rules: { 1: big, logic: "1" } });
  const updated = await api.validationRules.update({ id: made.id, name: `Bigger ${unique}` });
  const read = await api.validationRules.get(made.id);
  const listed = await api.validationRules.list({ limit: 100 });
  const assignment = await api.validationRules.createAssignment(made.id, { voucher: code });
  const assignments = await api.validationRules.listAssignments(made.id);
  await api.validationRules.deleteAssignment(made.id, assignment.id);
  await api.validationRules.delete(made.id);

  assert.equal(updated.name, read.name);
  assert.ok(listed.data.some((rule) => rule.id === made.id));
  assert.deepEqual(assignments.data.map((one) => [one.id, one.rule_id]), [[assignment.id, made.id]]);
  await assert.rejects(api.validationRules.get(made.id), (error) => error.code === 404);
});

test("a mistake in a rule is an error with its place", async () => {
  await assert.rejects(
    api.validationRules.create({ name: "x", rules: { 1: { name: "order.sum", conditions: { $is: [1] } } } }),
    (error) => error.key === "invalid_validation_rules" && error.details.startsWith("rules.1.name"),
  );
});

test("a rule refuses in its own words, on the server and in the browser", async () => {
  const code = await guardedCode(amount, { rules: { 1: big } });
  const order = { amount: 4000 };

  const stacked = await api.validations.validateStackable({ redeemables: redeemablesOf(code), order });
  const single = await api.validations.validateVoucher(code, { order });
  const seen = await browser.validate({ code, amount: 4000, tracking_id: "visitor-2" });

  assert.equal(stacked.valid, false);
  assert.equal(stacked.redeemables[0].result.error.error.message, "Spend more");
  assert.deepEqual([single.valid, single.error.message], [false, "Spend more"]);
  assert.deepEqual([seen.valid, seen.error.message], [false, "Spend more"]);
  await assert.rejects(
    api.redemptions.redeemStackable({ redeemables: redeemablesOf(code), order }),
    (error) => error.key === "order_rules_violated",
  );
});

test("free units are added, redeemed and rolled back", async () => {
  const product = await api.products.create({ source_id: `free-${unique}`, name: "Sock", price: 900 });
  const code = await codeOf({ type: "UNIT", effect: "ADD_NEW_ITEMS", unit_off: 2, unit_type: product.id });
  const order = { source_id: `units-${unique}`, items: [{ product_id: "other", quantity: 1, price: 5000 }] };

  const redeemed = await api.redemptions.redeemStackable({ redeemables: redeemablesOf(code), order, customer });
  const added = redeemed.order.items[1];
  const undone = await api.redemptions.rollbackStackable(redeemed.redemptions[0].id);

  assert.deepEqual([redeemed.order.initial_amount, redeemed.order.amount, redeemed.order.total_amount], [5000, 6800, 5000]);
  assert.deepEqual([added.product_id, added.quantity, added.discount_quantity, added.initial_quantity], [product.id, 2, 2, 0]);
  assert.deepEqual([undone.order.amount, undone.order.items.length], [5000, 1]);
});

test("codes with rules and units stack, and what applies to named products says so", async () => {
  const product = await api.products.create({ source_id: `half-${unique}`, name: "Cap", price: 2000 });
  const included = [{ object: "product", id: product.id, effect: "APPLY_TO_EVERY" }];
  const half = await guardedCode({ type: "PERCENT", percent_off: 50 }, { rules: { 1: big }, applicable_to: { included } });
  const order = { items: [{ product_id: product.id, quantity: 2 }, { product_id: "other", quantity: 1, price: 3000 }] };

  const found = await api.validations.validateStackable({
    redeemables: redeemablesOf(half, await codeOf(amount)),
    order,
    options: { expand: ["order", "redeemable", "category"] },
  });

  assert.equal(found.valid, true);
  assert.deepEqual(found.redeemables[0].applicable_to.data.map((row) => row.id), [product.id]);
  assert.equal(found.order.total_amount, 4000);
});

test("a promotion stack is qualified, validated, redeemed and rolled back as one", async () => {
  const tiers = ["A", "B"].map((name) => ({ name, action: { discount: { type: "AMOUNT", amount_off: 500 } } }));
  const campaign = await api.promotions.create({ name: `Stacked ${unique}`, campaign_type: "PROMOTION", promotion: { tiers } });
  const ids = campaign.promotion.tiers.map((tier) => tier.id);
  const stack = await api.promotions.stack.createInCampaign(campaign.id, { name: "Both", tiers: { ids } });
  const order = { amount: 8000 };

  const qualified = await api.qualifications.checkEligibility({ order, scenario: "PROMOTION_STACKS", options: { limit: 50 } });
  const found = await api.validations.validateStackable({ redeemables: redeemablesOf(stack.id), order });
  const redeemed = await api.redemptions.redeemStackable({ redeemables: redeemablesOf(stack.id), order });
  const undone = await api.redemptions.rollbackStackable(redeemed.parent_redemption.id);
  const promotions = await api.promotions.validate({ order });

  const mine = qualified.redeemables.data.find((one) => one.id === stack.id);
  assert.deepEqual(mine.redeemables.map((tier) => tier.id), ids);
  assert.deepEqual(found.redeemables.map((tier) => tier.id), ids);
  assert.deepEqual([redeemed.order.total_amount, undone.order.total_amount], [7000, 8000]);
  assert.ok(promotions.promotions.some((tier) => tier.id === ids[0] && tier.discount_amount === 500));
  await assert.rejects(
    api.validations.validateStackable({ redeemables: redeemablesOf(stack.id, await codeOf(amount)), order }),
    (error) => error.key === "invalid_redeemables",
  );
});

test("qualifications are paged to their end", async () => {
  const seen = [];
  let cursor;
  do {
    const page = (
      await api.qualifications.checkEligibility({ order: { amount: 8000 }, options: { limit: 3, starting_after: cursor } })
    ).redeemables;
    seen.push(...page.data.map((one) => one.id));
    cursor = page.has_more ? page.more_starting_after : undefined;
  } while (cursor);

  assert.ok(seen.length > 3);
  assert.equal(new Set(seen).size, seen.length);
});

test("segments are created, listed of a customer, asked for by a rule and deleted", async () => {
  const filter = { junction: "AND", "metadata.club": { conditions: { $in: ["Gold", "Silver"] } } };
  const segment = await api.segments.create({ name: `Club ${unique}`, type: "auto-update", filter });
  const condition = { name: "customer.segment", conditions: { $is: [segment.id] } };
  const code = await guardedCode(amount, { rules: { 1: condition, logic: "1" } });
  const applies = async (club) =>
    (
      await api.validations.validateStackable({
        redeemables: redeemablesOf(code),
        customer: { source_id: `club-${unique}`, metadata: { club } },
        order: { amount: 8000 },
      })
    ).valid;

  const read = await api.segments.get(segment.id);
  await api.customers.create({ source_id: `club-${unique}`, metadata: { club: "Silver" } });
  const listed = await api.segments.list(`club-${unique}`);

  assert.deepEqual([read.name, read.filter], [`Club ${unique}`, filter]);
  assert.deepEqual(listed.data, [{ id: segment.id, name: segment.name, object: "segment" }]);
  assert.deepEqual([await applies("Gold"), await applies("Bronze")], [true, false]);
  await api.segments.delete(segment.id);
  await assert.rejects(api.segments.get(segment.id), (error) => error.code === 404);
});
