import type { Phrasebook, PeriodWords } from './phrasebook.ts';

/** Simplified Chinese. */
export const CHINESE: Phrasebook = {
  linkJoint: '：',
  subjects: {
    global: ['所有调用方合计', '所有调用方合计'],
    tenant: ['您', '您'],
    app: ['此应用', '此应用'],
    key: ['此密钥', '此密钥'],
    end_user: ['该最终用户', '该最终用户'],
    model: ['您在此模型上', '您在此模型上'],
    route: ['您在此路由上', '您在此路由上'],
    operation: ['您在此操作上', '您在此操作上'],
  },
  periods: {
    second: period('本秒内', '每秒', '秒', '秒'),
    minute: period('本分钟内', '每分钟', '分钟', '分钟'),
    hour: period('本小时内', '每小时', '小时', '小时'),
    day: period('今天', '每日', '天', '天'),
    week: period('本周', '每周', '周', '周'),
    month: period('本月', '每月', '月', '个月'),
    year: period('今年', '年度', '年', '年'),
    billing_cycle: period('本计费周期内', '计费周期', '个计费周期', '个计费周期'),
    lifetime: { ...period('累计', '总', '', ''), span: undefined },
  },
  units: {
    requests: '次请求',
    tokens: '个 Token',
    input_tokens: '个输入 Token',
    output_tokens: '个输出 Token',
    bytes: '流量',
    bytes_in: '上行流量',
    bytes_out: '下行流量',
    storage_bytes: '存储空间',
    compute_units: '个计算单元',
    compute_ms: '毫秒计算时间',
    operations: '次操作',
    concurrent_requests: '个并发调用',
    spend: '额度',
  },
  declines: {
    insufficient_funds: '余额不足',
    card_expired: '银行卡已过期',
    details_incorrect: '支付信息不匹配',
    authentication_required: '银行要求确认这笔支付',
    limit_exceeded: '已达到银行卡限额',
    method_not_supported: '该支付方式不适用',
    method_invalid: '该支付方式已失效',
    currency_not_supported: '该支付方式不支持此币种',
    amount_rejected: '银行不允许此金额',
    not_permitted: '银行不允许这笔支付',
    mandate_revoked: '自动扣款授权已被撤销',
    duplicate: '这笔支付似乎已经完成',
    processor_unavailable: '无法联系到银行',
    test_card: '这是一张测试卡',
    declined: '银行拒绝了这笔支付',
  },
  verifications: { email: '电子邮箱', phone: '手机号码', identity: '账户所有者的身份' },
  or: ' 或 ',
  withArticle: (name) => name,
  groupDigits: (digits) => digits.replace(/\B(?=(?:\d{3})+$)/g, ','),
  decimalMark: '.',
  bytes: (count) => `${count} 字节`,
  formatTime: (year, month, day, time) =>
    `${year}年${month.replace(/^0/, '')}月${day.replace(/^0/, '')}日 ${time} UTC`,
};

function period(running: string, cadence: string, span: string, counted: string): PeriodWords {
  return {
    running,
    cadence,
    span,
    slidingOne: `最近 1 ${counted}`,
    sliding: (count) => `最近 ${count} ${counted}`,
    spans: (count) => ` ${count} ${counted}`,
  };
}
