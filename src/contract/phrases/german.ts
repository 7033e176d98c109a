import type { Phrasebook, PeriodWords } from './phrasebook.ts';

export const GERMAN: Phrasebook = {
  linkJoint: ': ',
  subjects: {
    global: ['Alle Aufrufer zusammen haben', 'alle Aufrufer zusammen haben'],
    organisation: ['Ihre übergeordnete Organisation hat', 'Ihre übergeordnete Organisation hat'],
    tenant: ['Sie haben', 'Sie haben'],
    app: ['Diese App hat', 'diese App hat'],
    key: ['Dieser Schlüssel hat', 'dieser Schlüssel hat'],
    end_user: ['Dieser Endnutzer hat', 'dieser Endnutzer hat'],
    model: ['Bei diesem Modell haben Sie', 'bei diesem Modell haben Sie'],
    route: ['Auf dieser Route haben Sie', 'auf dieser Route haben Sie'],
    operation: ['Für diese Operation haben Sie', 'für diese Operation haben Sie'],
  },
  organisation: 'Ihre übergeordnete Organisation',
  periods: {
    second: period(
      ['in dieser Sekunde', 'in der letzten Sekunde'],
      'Sekündliches',
      'Sekunde',
      'Sekunden',
    ),
    minute: period(
      ['in dieser Minute', 'in der letzten Minute'],
      'Minütliches',
      'Minute',
      'Minuten',
    ),
    hour: period(['in dieser Stunde', 'in der letzten Stunde'], 'Stündliches', 'Stunde', 'Stunden'),
    day: period(['heute', 'am letzten Tag'], 'Tägliches', 'Tag', 'Tagen'),
    week: period(['in dieser Woche', 'in der letzten Woche'], 'Wöchentliches', 'Woche', 'Wochen'),
    month: period(['in diesem Monat', 'im letzten Monat'], 'Monatliches', 'Monat', 'Monaten'),
    year: period(['in diesem Jahr', 'im letzten Jahr'], 'Jährliches', 'Jahr', 'Jahren'),
    billing_cycle: period(
      ['in diesem Abrechnungszeitraum', 'im letzten Abrechnungszeitraum'],
      'Abrechnungsbezogenes',
      'Abrechnungszeitraum',
      'Abrechnungszeiträumen',
    ),
    lifetime: period(['insgesamt', 'insgesamt'], 'Gesamtes', undefined, 'Laufzeiten'),
  },
  units: {
    requests: 'Anfragen',
    tokens: 'Tokens',
    input_tokens: 'Eingabetokens',
    output_tokens: 'Ausgabetokens',
    bytes: 'Daten',
    bytes_in: 'eingehenden Daten',
    bytes_out: 'ausgehenden Daten',
    storage_bytes: 'Speicherdaten',
    compute_units: 'Recheneinheiten',
    compute_ms: 'ms Rechenzeit',
    operations: 'Operationen',
    concurrent_requests: 'gleichzeitigen Aufrufen',
    spend: 'Guthaben',
  },
  declines: {
    insufficient_funds: 'das Konto ist nicht gedeckt',
    card_expired: 'die Karte ist abgelaufen',
    details_incorrect: 'die Zahlungsdaten stimmen nicht',
    authentication_required: 'die Bank verlangt eine Bestätigung',
    limit_exceeded: 'das Limit der Karte ist erreicht',
    method_not_supported: 'dieses Zahlungsmittel wird dafür nicht angenommen',
    method_invalid: 'das Zahlungsmittel ist nicht mehr gültig',
    currency_not_supported: 'das Zahlungsmittel unterstützt diese Währung nicht',
    amount_rejected: 'die Bank lässt diesen Betrag nicht zu',
    not_permitted: 'die Bank erlaubt diese Zahlung nicht',
    mandate_revoked: 'die Erlaubnis für wiederkehrende Zahlungen wurde widerrufen',
    duplicate: 'sie wurde offenbar schon ausgeführt',
    processor_unavailable: 'die Bank war nicht erreichbar',
    test_card: 'das ist eine Testkarte',
    declined: 'die Bank hat sie abgelehnt',
  },
  verifications: {
    email: 'Die E-Mail-Adresse',
    phone: 'Die Telefonnummer',
    identity: 'Die Identität des Inhabers',
  },
  or: ' oder ',
  withArticle: (name) => name,
  groupDigits: (digits) => digits.replace(/\B(?=(?:\d{3})+$)/g, '.'),
  decimalMark: ',',
  bytes: (count) => `${count} Byte`,
  formatTime: (year, month, day, time) => `${day}.${month}.${year}, ${time} UTC`,
};

/** The plural is the dative one: `in den letzten 30 Tagen`. A rate has the accusative: `pro 10 Tage`. */
function period(
  [running, slidingOne]: readonly [running: string, slidingOne: string],
  cadence: string,
  one: string | undefined,
  many: string,
): PeriodWords {
  const accusative = many.replace(/^(Tage|Monate|Jahre|Abrechnungszeiträume)n$/, '$1');
  return {
    running,
    slidingOne,
    cadence,
    span: one,
    sliding: (count) => `in den letzten ${count} ${many}`,
    spans: (count) => `${count} ${accusative}`,
  };
}
