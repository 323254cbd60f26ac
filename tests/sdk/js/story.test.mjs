// The official JavaScript SDK, unmodified, against a running server: only the address is changed.
import assert from "node:assert/strict";
import fs from "node:fs";
import os from "node:os";
import path from "node:path";
import test from "node:test";

import sdk from "@voucherify/sdk";

const { VoucherifyClientSide, VoucherifyServerSide } = sdk;
const { API_URL, APP_ID, APP_TOKEN, CLIENT_ID, CLIENT_TOKEN, MANAGEMENT_ID, MANAGEMENT_TOKEN } = process.env;

const api = VoucherifyServerSide({ apiUrl: API_URL, applicationId: APP_ID, secretKey: APP_TOKEN });
const browser = VoucherifyClientSide({
  apiUrl: API_URL,
  clientApplicationId: CLIENT_ID,
  clientSecretKey: CLIENT_TOKEN,
  origin: "https://shop.example",
  trackingId: "visitor-1",
});

const unique = Date.now().toString(36);
const campaignName = `Spring ${unique}`;

async function until(condition, what) {
  for (let tries = 0; tries < 100; tries += 1) {
    const value = await condition();
    if (value) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  throw new Error(`never: ${what}`);
}

const actionDone = (id) =>
  until(async () => {
    const action = await api.asyncActions.get(id);
    return action.status === "DONE" && action.operation_status === "SUCCESS" && action;
  }, `async action ${id} done`);

test("a campaign is created with its types inferred", async () => {
  const campaign = await api.campaigns.create({
    name: campaignName,
    voucher: {
      type: "DISCOUNT_VOUCHER",
      discount: { type: "PERCENT", percent_off: 10 },
      redemption: { quantity: 1 },
      code_config: { pattern: `JS${unique}-#####` },
    },
  });

  assert.equal(campaign.campaign_type, "DISCOUNT_COUPONS");
  assert.equal(campaign.type, "AUTO_UPDATE");
  assert.equal((await api.campaigns.get(campaignName)).id, campaign.id);
});

test("a duplicate name is a conflict with the published message", async () => {
  await assert.rejects(
    api.campaigns.create({
      name: campaignName,
      voucher: { type: "DISCOUNT_VOUCHER", discount: { type: "AMOUNT", amount_off: 100 } },
    }),
    (error) => error.code === 409 && error.key === "duplicate_found",
  );
});

test("one voucher is added at once, many by an async action, one by its code", async () => {
  const one = await api.campaigns.addVoucher(campaignName);
  const many = await api.campaigns.addVoucher(campaignName, {}, { vouchers_count: 20 });
  await actionDone(many.async_action_id);
  const named = await api.campaigns.addCertainVoucher(campaignName, `NAMED-${unique}`);

  assert.match(one.code, new RegExp(`^JS${unique}-`));
  assert.equal(named.code, `NAMED-${unique}`);
  assert.equal((await api.vouchers.list({ campaign: campaignName, limit: 1 })).total, 22);
});

test("codes are imported from CSV", async () => {
  const file = path.join(os.tmpdir(), `codes-${unique}.csv`);
  fs.writeFileSync(file, `Code,Category,Source\nCSV1-${unique},News,partner\nCSV2-${unique},News,partner\n`);

  const { async_action_id } = await api.campaigns.importVouchersCSV(campaignName, file);
  const action = await actionDone(async_action_id);

  assert.equal(action.result.done_count, 2);
  assert.equal((await api.vouchers.get(`CSV2-${unique}`)).metadata.Source, "partner");
});

test("a voucher is created, read, updated, disabled, enabled and deleted", async () => {
  const code = `LIFE ${unique}`;
  const made = await api.vouchers.create({
    code,
    type: "DISCOUNT_VOUCHER",
    discount: { type: "AMOUNT", amount_off: 500 },
    redemption: { quantity: 3 },
    metadata: { season: "spring" },
  });
  const updated = await api.vouchers.update({ code, metadata: { shelf: 7 }, expiration_date: "2999-01-01T00:00:00Z" });
  const disabled = await api.vouchers.disable(code);
  const enabled = await api.vouchers.enable(code);
  await api.vouchers.delete(code, { force: true });

  assert.equal(made.redemption.quantity, 3);
  assert.deepEqual(updated.metadata, { season: "spring", shelf: 7 });
  assert.equal(disabled.active, false);
  assert.equal(enabled.active, true);
  await assert.rejects(api.vouchers.get(code), (error) => error.code === 404 && error.message === "Resource not found");
});

test("a voucher without a code gets one", async () => {
  const made = await api.vouchers.create({ type: "DISCOUNT_VOUCHER", discount: { type: "FIXED", fixed_amount: 999 } });

  assert.equal(made.code.length, 8);
});

test("vouchers are filtered", async () => {
  const found = await api.vouchers.list({ filters: { code: { conditions: { $in: [`NAMED-${unique}`] } } } });

  assert.deepEqual(found.vouchers.map((voucher) => voucher.code), [`NAMED-${unique}`]);
});

test("a gift card's balance grows", async () => {
  const card = `GIFT-${unique}`;
  await api.vouchers.create({ code: card, type: "GIFT_VOUCHER", gift: { amount: 1000 } });

  const balance = await api.vouchers.balance.create(card, { amount: 500 });

  assert.deepEqual(
    { ...balance, related_object: balance.related_object.type },
    { amount: 500, total: 1500, balance: 1500, type: "gift_voucher", operation_type: "MANUAL", object: "balance", related_object: "voucher" },
  );
});

test("customers are created, updated, listed, scrolled and deleted", async () => {
  const source = `ann+${unique}@example.com`;
  const made = await api.customers.create({ source_id: source, name: "Ann", email: source, metadata: { vip: true } });
  const again = await api.customers.create({ source_id: source, metadata: { size: 38 } });
  const updated = await api.customers.update({ source_id: source, phone: "+4915112345678" });
  const listed = await api.customers.list({ email: source });
  const scrolled = [];
  for await (const customer of api.customers.scroll({ email: source })) scrolled.push(customer.id);
  const activity = await api.customers.listActivity(source);
  await api.customers.delete(source);

  assert.equal(again.id, made.id);
  assert.deepEqual(again.metadata, { vip: true, size: 38 });
  assert.equal(updated.phone, "+4915112345678");
  assert.equal(listed.total, 1);
  assert.deepEqual(scrolled, [made.id]);
  assert.ok(activity.data.map((event) => event.type).includes("customer.updated"));
  await assert.rejects(api.customers.get(source), (error) => error.code === 404);
});

test("customers come in bulk", async () => {
  const rows = [1, 2, 3].map((number) => ({ source_id: `bulk-${unique}-${number}`, name: `Bulk ${number}` }));

  const { async_action_id } = await api.customers.updateInBulk(rows);
  const action = await actionDone(async_action_id);

  assert.equal(action.result.done_count, 3);
  assert.equal((await api.customers.get(`bulk-${unique}-3`)).name, "Bulk 3");
});

const shopper = { source_id: `shopper-${unique}`, email: `shopper-${unique}@example.com` };
let published;

test("a code is published to a customer, who then has it in the wallet", async () => {
  const publication = await api.distributions.publications.create({ campaign: { name: campaignName }, customer: shopper });
  published = publication.voucher.code;
  const wallet = await api.customers.listRedeemables(shopper.source_id);
  const listed = await api.distributions.publications.list({ customer: publication.customer_id });

  assert.equal(publication.result, "SUCCESS");
  assert.equal(wallet.data[0].redeemable.voucher.code, published);
  assert.equal(listed.publications[0].voucher.code, published);
});

test("qualifications name what the customer could use", async () => {
  const found = await api.qualifications.checkEligibility({
    customer: { source_id: shopper.source_id },
    order: { amount: 10000 },
    scenario: "CUSTOMER_WALLET",
  });

  assert.deepEqual(found.redeemables.data.map((one) => one.id), [published]);
  assert.equal(found.redeemables.data[0].order.total_amount, 9000);
});

const order = { amount: 20000, items: [{ product_id: "prod_x", quantity: 2, price: 10000 }] };
let stack;

test("a stack is validated and redeemed", async () => {
  const redeemables = [
    { object: "voucher", id: published },
    { object: "voucher", id: `GIFT-${unique}`, gift: { credits: 1500 } },
  ];
  const validation = await api.validations.validateStackable({ redeemables, order, customer: shopper });
  stack = await api.redemptions.redeemStackable({ redeemables, order, customer: shopper });

  assert.equal(validation.valid, true);
  assert.equal(validation.order.total_amount, 16500);
  assert.equal(validation.inapplicable_redeemables, undefined);
  assert.equal(stack.order.total_amount, 16500);
  assert.equal(stack.redemptions.length, 2);
  assert.equal(stack.redemptions[0].redemption, stack.parent_redemption.id);
});

test("a used-up code is refused with its reason", async () => {
  await assert.rejects(
    api.redemptions.redeemStackable({ redeemables: [{ object: "voucher", id: published }], order, customer: shopper }),
    (error) => error.code === 400 && error.key === "quantity_exceeded",
  );
});

test("redemptions are listed, filtered and read", async () => {
  const listed = await api.redemptions.list({ filters: { customer_id: { conditions: { $is: [stack.redemptions[0].customer_id] } } } });
  const one = await api.redemptions.get(stack.redemptions[0].id);
  const entries = await api.redemptions.getForVoucher(published);

  assert.ok(listed.redemptions.some((row) => row.id === stack.parent_redemption.id));
  assert.ok(listed.redemptions.some((row) => row.failure_code === "quantity_exceeded"));
  assert.equal(one.voucher.code, published);
  assert.equal(entries.redemption_entries.length, 1);
});

test("a stack is rolled back as a whole", async () => {
  const undone = await api.redemptions.rollbackStackable(stack.parent_redemption.id, { reason: "returned" });

  assert.equal(undone.rollbacks.length, 2);
  assert.equal((await api.vouchers.get(published)).redemption.redeemed_quantity, 0);
  assert.equal((await api.vouchers.get(`GIFT-${unique}`)).gift.balance, 1500);
});

test("one code is validated, redeemed and rolled back by the older endpoints", async () => {
  const validation = await api.validations.validateVoucher(published, { order: { amount: 5000 }, customer: shopper });
  const redemption = await api.redemptions.redeem(published, { order: { amount: 5000 }, customer: shopper });
  const rollback = await api.redemptions.rollback(redemption.id, { reason: "changed mind", tracking_id: "t-1" });

  assert.equal(validation.valid, true);
  assert.equal(redemption.result, "SUCCESS");
  assert.equal(rollback.reason, "changed mind");
});

test("a session locks a code until it is released", async () => {
  const held = await api.validations.validateStackable({
    redeemables: [{ object: "voucher", id: published }],
    order,
    session: { type: "LOCK", ttl: 5, ttl_unit: "MINUTES" },
  });
  const refused = await api.validations.validateStackable({ redeemables: [{ object: "voucher", id: published }], order });
  await api.vouchers.releaseValidationSession(published, held.session.key);
  const free = await api.validations.validateStackable({ redeemables: [{ object: "voucher", id: published }], order });

  assert.deepEqual([held.valid, refused.valid, free.valid], [true, false, true]);
});

test("custom events are tracked", async () => {
  const event = await api.events.create("cart_abandoned", { customer: shopper, metadata: { items: 3 } });

  assert.equal(event.type, "cart_abandoned");
});

test("a browser validates and tracks with its own key, and may not redeem unless the project says so", async () => {
  const validation = await browser.validate({ code: published, amount: 10000, tracking_id: "visitor-1" });
  const stacked = await browser.validateStackable({ redeemables: [{ object: "voucher", id: published }], order });
  const event = await browser.track("page_seen", { source_id: "visitor-1" });

  assert.equal(validation.valid, true);
  assert.equal(stacked.valid, true);
  assert.equal(event.type, "page_seen");
  await assert.rejects(browser.redeem(published, { order: { amount: 100 } }), (error) => error.code === 403);
});

test("a campaign is changed, disabled, enabled and deleted", async () => {
  const changed = await api.campaigns.update(campaignName, { description: "for spring", metadata: { owner: "Ann" } });
  const disabled = await api.campaigns.disable(changed.id);
  const refused = await api.validations.validateStackable({ redeemables: [{ object: "voucher", id: published }], order });
  const enabled = await api.campaigns.enable(changed.id);
  await api.campaigns.delete(campaignName, { force: true });

  assert.equal(changed.description, "for spring");
  assert.deepEqual([disabled.active, enabled.active], [false, true]);
  assert.equal(refused.redeemables[0].result.error.key, "voucher_disabled");
  await assert.rejects(api.campaigns.get(campaignName), (error) => error.code === 404);
});

test("products and their SKUs are created, read, updated, listed and deleted", async () => {
  const source = `phone ${unique}@shop`;
  const made = await api.products.create({ source_id: source, name: "Phone", price: 200000, attributes: ["memory"], metadata: { brand: "Acme" } });
  const again = await api.products.create({ source_id: source, metadata: { size: 6 } });
  const updated = await api.products.update({ source_id: source, price: 210000 });
  const sku = await api.products.createSku(source, { sku: "Phone 64GB", source_id: `${source}-64`, attributes: { memory: "64" } });
  const changed = await api.products.updateSku(source, { id: sku.id, sku: "Phone 64 GB", price: 220000 });
  const listed = await api.products.list({ limit: 100 });
  const skus = await api.products.listSkus(source);
  const read = await api.products.get(source);
  const sameSku = await api.products.getSku(`${source}-64`);
  await api.products.deleteSku(source, sku.id);
  await api.products.delete(source, { force: true });

  assert.equal(again.id, made.id);
  assert.deepEqual(again.metadata, { brand: "Acme", size: 6 });
  assert.equal(updated.price, 210000);
  assert.equal(changed.sku, "Phone 64 GB");
  assert.ok(listed.products.some((product) => product.id === made.id));
  assert.deepEqual(skus.skus, [sameSku]);
  assert.deepEqual(read.skus.data, [sameSku]);
  await assert.rejects(api.products.get(source), (error) => error.code === 404 && error.message === "Resource not found");
});

test("products come in bulk, and products and SKUs from CSV", async () => {
  const source = `csv-product-${unique}`;
  const bulk = await api.products.bulkUpdate([{ source_id: source, name: "Shoe", price: 100 }]);
  await actionDone(bulk.async_action_id);
  const metadata = await api.products.bulkUpdateMetadata({ source_ids: [source], metadata: { season: "spring" } });
  await actionDone(metadata.async_action_id);
  const products = path.join(os.tmpdir(), `products-${unique}.csv`);
  fs.writeFileSync(products, `name,source_id,price,Color\nBoot,${source},1,red\nHat,${source}-hat,21.50,blue\n`);
  await actionDone((await api.products.importCSV(products)).async_action_id);
  const skus = path.join(os.tmpdir(), `skus-${unique}.csv`);
  fs.writeFileSync(skus, `product_id,sku,source_id,price,attributes\n${source},Boot 42,${source}-42,49.90,{'size':'42'}\n`);
  await actionDone((await api.products.importSkusCSV(skus)).async_action_id);
  const boot = await api.products.get(source);
  const hat = await api.products.get(`${source}-hat`);

  assert.deepEqual([boot.name, boot.price, boot.metadata], ["Boot", 100, { season: "spring" }]);
  assert.deepEqual([boot.skus.data[0].price, boot.skus.data[0].attributes], [4990, { size: "42" }]);
  assert.deepEqual([hat.price, hat.metadata], [2150, { Color: "blue" }]);
});

test("a collection by filter holds what matches", async () => {
  const product = await api.products.create({ name: "Brand", metadata: { brand: unique } });
  const made = await api.productCollections.create({
    type: "AUTO_UPDATE",
    name: `Brand ${unique}`,
    filter: { junction: "and", "metadata.brand": { conditions: { $is: [unique] } } },
  });
  const listed = await api.productCollections.listProducts(made.id);
  const all = await api.productCollections.list();
  const read = await api.productCollections.get(made.id);
  await api.productCollections.delete(made.id);

  assert.deepEqual(listed.data.map((row) => row.id), [product.id]);
  assert.deepEqual(all.data[0], read);
  await assert.rejects(api.productCollections.get(made.id), (error) => error.code === 404);
});

test("promotion tiers and stacks are created, read, updated, redeemed and deleted", async () => {
  const discount = { type: "AMOUNT", amount_off: 500, effect: "APPLY_TO_ORDER" };
  const campaign = await api.promotions.create({
    name: `Cart ${unique}`,
    campaign_type: "PROMOTION",
    promotion: { tiers: [{ name: "First", banner: "5 off", action: { discount } }] },
  });
  const second = await api.promotions.tiers.create(campaign.id, { name: "Second", banner: "b", action: { discount } });
  const changed = await api.promotions.tiers.update({ id: second.id, name: "Third", metadata: { a: 1 } });
  const listed = await api.promotions.tiers.list(campaign.id);
  const all = await api.promotions.tiers.listAll({ is_available: true });
  const redemption = await api.promotions.tiers.redeem(second.id, { order: { amount: 2000 } });
  const ids = [second.id, campaign.promotion.tiers[0].id];
  const stack = await api.promotions.stack.createInCampaign(campaign.id, { name: "Both", tiers: { ids } });
  const renamed = await api.promotions.stack.update(campaign.id, stack.id, { name: "Pair" });
  const stacks = await api.promotions.stack.list();
  const ofCampaign = await api.promotions.stack.listInCampaign(campaign.id);
  const read = await api.promotions.stack.get(campaign.id, stack.id);
  await api.promotions.stack.delete(campaign.id, stack.id);
  await api.promotions.tiers.delete(second.id);

  assert.equal(second.hierarchy, 2);
  assert.deepEqual([changed.name, changed.metadata], ["Third", { a: 1 }]);
  assert.equal(listed.tiers.length, 2);
  assert.ok(all.tiers.some((tier) => tier.id === second.id));
  assert.equal(redemption.order.total_amount, 1500);
  assert.equal("updated_at" in stack, false);
  assert.deepEqual(renamed.tiers.ids, ids);
  assert.deepEqual(stacks.data[0], read);
  assert.deepEqual(ofCampaign.data, [read]);
  await assert.rejects(api.promotions.tiers.get(second.id), (error) => error.code === 404 && error.message === "Resource not found");
});

test("categories are created, read, updated, listed and deleted", async () => {
  const made = await api.categories.create({ name: `Category ${unique}`, hierarchy: 1 });
  const updated = await api.categories.update(made.id, { name: `Renamed ${unique}`, hierarchy: 0 });
  const listed = await api.categories.list();
  const read = await api.categories.get(made.id);
  await api.categories.delete(made.id);

  assert.equal("updated_at" in made, false);
  assert.deepEqual([updated.name, updated.hierarchy], [`Renamed ${unique}`, 0]);
  assert.deepEqual(listed.data[0], read);
  assert.equal(listed.has_more, false);
  await assert.rejects(api.categories.get(made.id), (error) => error.code === 404);
});

test("metadata schemas are listed and read", async () => {
  const headers = {
    "Content-Type": "application/json",
    "X-Management-Id": MANAGEMENT_ID,
    "X-Management-Token": MANAGEMENT_TOKEN,
  };
  const projects = await (await fetch(`${API_URL}/management/v1/projects`, { headers })).json();
  const resource = `nested-${unique}`;
  const properties = { tax: { type: "number", optional: false, array: false } };
  const url = `${API_URL}/management/v1/projects/${projects.data[0].id}/metadata-schemas`;
  const body = JSON.stringify({ related_object: resource, properties });
  assert.equal((await fetch(url, { method: "POST", headers, body })).status, 200);

  const listed = await api.metadataSchemas.list();
  const schema = await api.metadataSchemas.get(resource);

  assert.equal(listed.data_ref, "schemas");
  assert.equal(listed.total, listed.schemas.length);
  assert.deepEqual(listed.schemas.find((one) => one.id === schema.id), schema);
  assert.deepEqual(schema.properties.tax, {
    type: "number",
    optional: false,
    array: false,
    objectType: null,
  });
  await assert.rejects(api.metadataSchemas.get(`no-${resource}`), (error) => error.code === 404);
});

test("a wrong key is refused with the published body", async () => {
  const stranger = VoucherifyServerSide({ apiUrl: API_URL, applicationId: APP_ID, secretKey: "wrong" });

  await assert.rejects(stranger.campaigns.list(), (error) => error.code === 401 && error.key === "unauthorized");
});
