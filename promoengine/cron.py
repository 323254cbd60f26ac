"""What runs by the clock; `manage.py rqcron` reads this file."""

from rq.cron import register

import customers.jobs
import notifications.jobs
import promoengine.core.jobs
import redemptions.jobs
import vouchers.jobs

register(vouchers.jobs.roll_up_usage, queue_name="low", interval=5)
register(redemptions.jobs.count_promotions, queue_name="low", interval=60)
register(promoengine.core.jobs.resume_async_actions, queue_name="high", interval=30)
register(vouchers.jobs.end_given_up, queue_name="high", interval=30)
register(notifications.jobs.send_waiting, queue_name="default", interval=30)
register(customers.jobs.sync_segments, queue_name="low", interval=600)
register(promoengine.core.jobs.note_attributes, queue_name="low", interval=60)
register(promoengine.core.jobs.sweep, queue_name="low", interval=3600)
register(promoengine.core.jobs.forget, queue_name="low", interval=3600)
register(vouchers.jobs.watch_pools, queue_name="low", interval=60)
register(vouchers.jobs.empty_bins, queue_name="low", interval=3600)
register(vouchers.jobs.drop_left_over, queue_name="low", interval=3600)
register(vouchers.jobs.forget_undo, queue_name="low", interval=3600)
register(redemptions.jobs.sweep, queue_name="low", interval=3600)
