import type { Phrasebook, PeriodWords } from './phrasebook.ts';

const MONTHS = [
  'enero',
  'febrero',
  'marzo',
  'abril',
  'mayo',
  'junio',
  'julio',
  'agosto',
  'septiembre',
  'octubre',
  'noviembre',
  'diciembre',
] as const;

type Last = { readonly one: string; readonly many: string };
const LAST_HE: Last = { one: 'el último', many: 'los últimos' };
const LAST_SHE: Last = { one: 'la última', many: 'las últimas' };

export const SPANISH: Phrasebook = {
  linkJoint: ': ',
  subjects: {
    global: ['Todos los clientes juntos han', 'todos los clientes juntos han'],
    organisation: [
      'La organización superior a esta cuenta ha',
      'la organización superior a esta cuenta ha',
    ],
    tenant: ['Ha', 'ha'],
    app: ['Esta aplicación ha', 'esta aplicación ha'],
    key: ['Esta clave ha', 'esta clave ha'],
    end_user: ['Este usuario final ha', 'este usuario final ha'],
    model: ['Con este modelo ha', 'con este modelo ha'],
    route: ['En esta ruta ha', 'en esta ruta ha'],
    operation: ['Con esta operación ha', 'con esta operación ha'],
  },
  organisation: 'la organización superior a esta cuenta',
  periods: {
    second: period('en este segundo', 'por segundo', 'segundo', LAST_HE),
    minute: period('en este minuto', 'por minuto', 'minuto', LAST_HE),
    hour: period('en esta hora', 'por hora', 'hora', LAST_SHE),
    day: period('hoy', 'diaria', 'día', LAST_HE),
    week: period('esta semana', 'semanal', 'semana', LAST_SHE),
    month: { ...period('este mes', 'mensual', 'mes', LAST_HE), ...months() },
    year: period('este año', 'anual', 'año', LAST_HE),
    billing_cycle: {
      running: 'en este ciclo de facturación',
      cadence: 'del ciclo de facturación',
      span: 'ciclo de facturación',
      slidingOne: 'en el último ciclo de facturación',
      sliding: (count) => `en los últimos ${count} ciclos de facturación`,
      spans: (count) => `cada ${count} ciclos de facturación`,
    },
    lifetime: { ...period('en total', 'total', 'vida', LAST_SHE), span: undefined },
  },
  units: {
    requests: 'solicitudes',
    tokens: 'tokens',
    input_tokens: 'tokens de entrada',
    output_tokens: 'tokens de salida',
    bytes: 'datos',
    bytes_in: 'datos de entrada',
    bytes_out: 'datos de salida',
    storage_bytes: 'almacenamiento',
    compute_units: 'unidades de cómputo',
    compute_ms: 'ms de cómputo',
    operations: 'operaciones',
    concurrent_requests: 'llamadas simultáneas',
    spend: 'crédito',
  },
  declines: {
    insufficient_funds: 'fondos insuficientes',
    card_expired: 'la tarjeta ha caducado',
    details_incorrect: 'los datos de pago no coinciden',
    authentication_required: 'el banco pide una confirmación',
    limit_exceeded: 'se alcanzó el límite de la tarjeta',
    method_not_supported: 'este medio de pago no se acepta para ello',
    method_invalid: 'el medio de pago ya no es válido',
    currency_not_supported: 'el medio de pago no admite esta moneda',
    amount_rejected: 'el banco no permite este importe',
    not_permitted: 'el banco no permite este pago',
    mandate_revoked: 'se retiró el permiso para pagos periódicos',
    duplicate: 'parece que ya se hizo',
    processor_unavailable: 'no se pudo contactar con el banco',
    test_card: 'es una tarjeta de prueba',
    declined: 'el banco lo rechazó',
  },
  verifications: {
    email: 'la dirección de correo',
    phone: 'el número de teléfono',
    identity: 'la identidad del titular',
  },
  chargedBefore: 'lo enviado hasta aquí se cobra',
  or: ' o ',
  withArticle: (name) => name,
  // CLDR: four digits stand together.
  groupDigits: (digits) => (digits.length < 5 ? digits : digits.replace(/\B(?=(?:\d{3})+$)/g, '.')),
  decimalMark: ',',
  bytes: (count) => (count === '1' ? '1 byte' : `${count} bytes`),
  formatTime: (year, month, day, time) =>
    `${day.replace(/^0/, '')} de ${MONTHS[Number(month) - 1] ?? month} de ${year}, ${time} UTC`,
};

function period(running: string, cadence: string, name: string, last: Last): PeriodWords {
  return {
    running,
    cadence,
    span: name,
    slidingOne: `en ${last.one} ${name}`,
    sliding: (count) => `en ${last.many} ${count} ${name}s`,
    spans: (count) => `cada ${count} ${name}s`,
  };
}

function months(): Pick<PeriodWords, 'sliding' | 'spans'> {
  return {
    sliding: (count) => `en los últimos ${count} meses`,
    spans: (count) => `cada ${count} meses`,
  };
}
