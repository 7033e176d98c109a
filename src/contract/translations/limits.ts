import type { LIMIT_CODES } from '../codes/limits.ts';
import type { Translations } from './translation.ts';

export const LIMIT_TRANSLATIONS: Translations<keyof typeof LIMIT_CODES> = {
  INSUFFICIENT_CREDITS: {
    de: {
      title: 'Guthaben reicht nicht aus',
      sentence:
        '[Dieser Aufruf könnte bis zu {needed} kosten, verfügbar sind {available}|Ihr Guthaben deckt diesen Aufruf nicht]. [{held} sind durch noch laufende Aufrufe gebunden: Versuchen Sie es in {retry_after} s erneut oder laden Sie Guthaben auf|Senken Sie max_tokens auf {affordable_max_tokens} oder laden Sie Guthaben auf|Laden Sie Guthaben auf und versuchen Sie es erneut]',
    },
    es: {
      title: 'Saldo insuficiente',
      sentence:
        '[Esta llamada podría costar hasta {needed} y su saldo disponible es de {available}|Su saldo no cubre esta llamada]. [Las llamadas en curso retienen {held}: reintente en {retry_after} s o añada saldo|Reduzca max_tokens a {affordable_max_tokens} o añada saldo|Añada saldo y vuelva a intentarlo]',
    },
    zh: {
      title: '余额不足',
      sentence:
        '[本次调用最多可能花费 {needed}，而您的可用余额为 {available}|您的余额不足以支付本次调用]。[其中 {held} 被仍在运行的调用占用：请在 {retry_after} 秒后重试，或先充值|请将 max_tokens 降到 {affordable_max_tokens}，或先充值|请充值后重试]',
    },
  },
  REQUEST_QUOTA_EXCEEDED: {
    de: {
      title: 'Anfragekontingent verbraucht',
      sentence:
        '[{subject} {period} {current_usage} von {allowed_usage} Anfragen verbraucht|{subject} {current_usage} von {allowed_usage} Anfragen verbraucht|Ihr Anfragekontingent ist verbraucht]. [Der Rest ist durch noch laufende Aufrufe gebunden: Versuchen Sie es in {retry_after} s erneut|Wechseln Sie zu {upgrade} oder warten Sie bis {resets}|Wechseln Sie zu {upgrade}|Warten Sie bis {resets} oder bitten Sie um ein größeres Kontingent|Bitten Sie um ein größeres Kontingent]',
    },
    es: {
      title: 'Cuota de solicitudes agotada',
      sentence:
        '[{subject} usado {current_usage} de {allowed_usage} solicitudes {period}|{subject} usado {current_usage} de {allowed_usage} solicitudes|Su cuota de solicitudes está agotada]. [Las llamadas en curso retienen lo que queda: reintente en {retry_after} s|Cambie a {upgrade} o espere hasta el {resets}|Cambie a {upgrade}|Espere hasta el {resets} o pida una cuota mayor|Pida una cuota mayor]',
    },
    zh: {
      title: '请求配额已用尽',
      sentence:
        '[{subject}{period}已使用 {current_usage} 次请求，上限为 {allowed_usage} 次|{subject}已使用 {current_usage} 次请求，上限为 {allowed_usage} 次|您的请求配额已用尽]。[剩余部分被仍在运行的调用占用：请在 {retry_after} 秒后重试|请升级到 {upgrade}，或等到 {resets}|请升级到 {upgrade}|请等到 {resets}，或申请更高的配额|请申请更高的配额]',
    },
  },
  FREE_TIER_EXHAUSTED: {
    de: {
      title: 'Freikontingent verbraucht',
      sentence:
        '[{subject} {period} {current_usage} von {allowed_usage} kostenlosen {unit} verbraucht|{subject} {current_usage} von {allowed_usage} kostenlosen {unit} verbraucht|Das Freikontingent ist verbraucht]. [Der Rest ist durch noch laufende Aufrufe gebunden: Versuchen Sie es in {retry_after} s erneut|Bezahlen Sie {offer_price} für diesen Aufruf oder warten Sie bis {resets}|Bezahlen Sie {offer_price} für diesen Aufruf|Wechseln Sie zu {upgrade} oder warten Sie bis {resets}|Wechseln Sie zu {upgrade}|Warten Sie bis {resets} oder bitten Sie um einen bezahlten Tarif|Bitten Sie um einen bezahlten Tarif]',
    },
    es: {
      title: 'Uso gratuito agotado',
      sentence:
        '[{subject} usado {current_usage} de {allowed_usage} {unit} sin coste {period}|{subject} usado {current_usage} de {allowed_usage} {unit} sin coste|El uso gratuito está agotado]. [Las llamadas en curso retienen lo que queda: reintente en {retry_after} s|Pague {offer_price} por esta llamada o espere hasta el {resets}|Pague {offer_price} por esta llamada|Cambie a {upgrade} o espere hasta el {resets}|Cambie a {upgrade}|Espere hasta el {resets} o pida un plan de pago|Pida un plan de pago]',
    },
    zh: {
      title: '免费额度已用尽',
      sentence:
        '[{subject}{period}已免费使用 {current_usage} {unit}，上限为 {allowed_usage} {unit}|{subject}已免费使用 {current_usage} {unit}，上限为 {allowed_usage} {unit}|免费额度已用尽]。[剩余部分被仍在运行的调用占用：请在 {retry_after} 秒后重试|请为本次调用支付 {offer_price}，或等到 {resets}|请为本次调用支付 {offer_price}|请升级到 {upgrade}，或等到 {resets}|请升级到 {upgrade}|请等到 {resets}，或申请付费套餐|请申请付费套餐]',
    },
  },
  TOKEN_QUOTA_EXCEEDED: {
    de: {
      title: 'Tokenkontingent verbraucht',
      sentence:
        '[{cadence} Tokenkontingent überschritten|Tokenkontingent überschritten][: {subject_inside} {period} {current_usage} von {allowed_usage} {token_unit} verbraucht|: {subject_inside} {current_usage} von {allowed_usage} {token_unit} verbraucht][, und dieser Aufruf könnte bis zu {needed} weitere brauchen]. [Damit er passt, senken Sie max_tokens auf {affordable_max_tokens}. ][Der Rest ist durch noch laufende Aufrufe gebunden: Versuchen Sie es in {retry_after} s erneut|Wechseln Sie zu {upgrade} oder warten Sie bis {resets}|Wechseln Sie zu {upgrade}|Warten Sie bis {resets} oder bitten Sie um ein größeres Kontingent|Bitten Sie um ein größeres Kontingent]',
    },
    es: {
      title: 'Cuota de tokens agotada',
      sentence:
        '[Cuota {cadence} de tokens superada|Cuota de tokens superada][: {subject_inside} usado {current_usage} de {allowed_usage} {token_unit} {period}|: {subject_inside} usado {current_usage} de {allowed_usage} {token_unit}][, y esta llamada podría usar hasta {needed} más]. [Reduzca max_tokens a {affordable_max_tokens} para que quepa. ][Las llamadas en curso retienen lo que queda: reintente en {retry_after} s|Cambie a {upgrade} o espere hasta el {resets}|Cambie a {upgrade}|Espere hasta el {resets} o pida una cuota mayor|Pida una cuota mayor]',
    },
    zh: {
      title: 'Token 配额已用尽',
      sentence:
        '[{cadence} Token 配额已超出|Token 配额已超出][：{subject_inside}{period}已使用 {current_usage} {token_unit}，上限为 {allowed_usage} {token_unit}|：{subject_inside}已使用 {current_usage} {token_unit}，上限为 {allowed_usage} {token_unit}][，而本次调用最多可能再用 {needed} 个]。[请将 max_tokens 降到 {affordable_max_tokens} 以内。][剩余部分被仍在运行的调用占用：请在 {retry_after} 秒后重试|请升级到 {upgrade}，或等到 {resets}|请升级到 {upgrade}|请等到 {resets}，或申请更高的配额|请申请更高的配额]',
    },
  },
  COMPUTE_UNITS_EXHAUSTED: {
    de: {
      title: 'Rechenkontingent verbraucht',
      sentence:
        'Recheneinheiten aufgebraucht[: {subject_inside} {period} {current_usage} von {allowed_usage} {compute_unit} verbraucht|: {subject_inside} {current_usage} von {allowed_usage} {compute_unit} verbraucht][, und dieser Aufruf könnte bis zu {needed} weitere brauchen]. [Der Rest ist durch noch laufende Aufrufe gebunden: Versuchen Sie es in {retry_after} s erneut|Wechseln Sie zu {upgrade} oder warten Sie bis {resets}|Wechseln Sie zu {upgrade}|Warten Sie bis {resets} oder bitten Sie um ein größeres Kontingent|Bitten Sie um ein größeres Kontingent]',
    },
    es: {
      title: 'Cómputo incluido agotado',
      sentence:
        'Unidades de cómputo agotadas[: {subject_inside} usado {current_usage} de {allowed_usage} {compute_unit} {period}|: {subject_inside} usado {current_usage} de {allowed_usage} {compute_unit}][, y esta llamada podría usar hasta {needed} más]. [Las llamadas en curso retienen lo que queda: reintente en {retry_after} s|Cambie a {upgrade} o espere hasta el {resets}|Cambie a {upgrade}|Espere hasta el {resets} o pida una cuota mayor|Pida una cuota mayor]',
    },
    zh: {
      title: '计算额度已用尽',
      sentence:
        '计算单元已用尽[：{subject_inside}{period}已使用 {current_usage} {compute_unit}，上限为 {allowed_usage} {compute_unit}|：{subject_inside}已使用 {current_usage} {compute_unit}，上限为 {allowed_usage} {compute_unit}][，而本次调用最多可能再用 {needed}]。[剩余部分被仍在运行的调用占用：请在 {retry_after} 秒后重试|请升级到 {upgrade}，或等到 {resets}|请升级到 {upgrade}|请等到 {resets}，或申请更高的额度|请申请更高的额度]',
    },
  },
  OPERATION_LIMIT_REACHED: {
    de: {
      title: 'Limit einer Operation erreicht',
      sentence:
        '[{cadence} Verarbeitungslimit erreicht|Verarbeitungslimit erreicht][: {subject_inside} {period} {current_usage} von {allowed_usage} Operationen „{operation}“ verbraucht|: {subject_inside} {period} {current_usage} von {allowed_usage} Operationen verbraucht|: {subject_inside} {current_usage} von {allowed_usage} Operationen verbraucht]. [Der Rest ist durch noch laufende Aufrufe gebunden: Versuchen Sie es in {retry_after} s erneut|Wechseln Sie zu {upgrade} oder warten Sie bis {resets}|Wechseln Sie zu {upgrade}|Warten Sie bis {resets} oder bitten Sie um ein höheres Limit|Bitten Sie um ein höheres Limit]',
    },
    es: {
      title: 'Límite de una operación alcanzado',
      sentence:
        '[Cuota {cadence} de procesamiento alcanzada|Cuota de procesamiento alcanzada][: {subject_inside} usado {current_usage} de {allowed_usage} operaciones «{operation}» {period}|: {subject_inside} usado {current_usage} de {allowed_usage} operaciones {period}|: {subject_inside} usado {current_usage} de {allowed_usage} operaciones]. [Las llamadas en curso retienen lo que queda: reintente en {retry_after} s|Cambie a {upgrade} o espere hasta el {resets}|Cambie a {upgrade}|Espere hasta el {resets} o pida un límite mayor|Pida un límite mayor]',
    },
    zh: {
      title: '操作次数已达上限',
      sentence:
        '[{cadence}处理次数已达上限|处理次数已达上限][：{subject_inside}{period}已执行“{operation}”操作 {current_usage} 次，上限为 {allowed_usage} 次|：{subject_inside}{period}已执行 {current_usage} 次操作，上限为 {allowed_usage} 次|：{subject_inside}已执行 {current_usage} 次操作，上限为 {allowed_usage} 次]。[剩余部分被仍在运行的调用占用：请在 {retry_after} 秒后重试|请升级到 {upgrade}，或等到 {resets}|请升级到 {upgrade}|请等到 {resets}，或申请更高的上限|请申请更高的上限]',
    },
  },
  DATA_QUOTA_EXCEEDED: {
    de: {
      title: 'Datenvolumen verbraucht',
      sentence:
        '[{subject} {period} {current_usage} von {allowed_usage} übertragen|{subject} {current_usage} von {allowed_usage} übertragen|Ihr Datenvolumen ist verbraucht][, und dieser Aufruf könnte bis zu {needed} hinzufügen]. [Der Rest ist durch noch laufende Aufrufe gebunden: Versuchen Sie es in {retry_after} s erneut|Wechseln Sie zu {upgrade} oder warten Sie bis {resets}|Wechseln Sie zu {upgrade}|Warten Sie bis {resets} oder bitten Sie um mehr Volumen|Bitten Sie um mehr Volumen]',
    },
    es: {
      title: 'Volumen de datos agotado',
      sentence:
        '[{subject} transferido {current_usage} de {allowed_usage} {period}|{subject} transferido {current_usage} de {allowed_usage}|Su volumen de datos está agotado][, y esta llamada podría añadir hasta {needed}]. [Las llamadas en curso retienen lo que queda: reintente en {retry_after} s|Cambie a {upgrade} o espere hasta el {resets}|Cambie a {upgrade}|Espere hasta el {resets} o pida más volumen|Pida más volumen]',
    },
    zh: {
      title: '流量已用尽',
      sentence:
        '[{subject}{period}已传输 {current_usage}，上限为 {allowed_usage}|{subject}已传输 {current_usage}，上限为 {allowed_usage}|您的流量已用尽][，而本次调用最多可能再增加 {needed}]。[剩余部分被仍在运行的调用占用：请在 {retry_after} 秒后重试|请升级到 {upgrade}，或等到 {resets}|请升级到 {upgrade}|请等到 {resets}，或申请更多流量|请申请更多流量]',
    },
  },
  STORAGE_QUOTA_EXCEEDED: {
    de: {
      title: 'Speicherplatz belegt',
      sentence:
        '[{subject} {current_usage} von {allowed_usage} Speicherplatz belegt|Ihr Speicherplatz ist voll][, und dieser Aufruf würde {needed} hinzufügen]. [Wechseln Sie zu {upgrade} oder löschen Sie etwas|Löschen Sie etwas oder bitten Sie um mehr Speicherplatz]',
    },
    es: {
      title: 'Almacenamiento agotado',
      sentence:
        '[{subject} ocupado {current_usage} de {allowed_usage} de almacenamiento|Su almacenamiento está lleno][, y esta llamada añadiría {needed}]. [Cambie a {upgrade} o borre algo|Borre algo o pida más almacenamiento]',
    },
    zh: {
      title: '存储空间已用尽',
      sentence:
        '[{subject}已占用 {current_usage} 存储空间，上限为 {allowed_usage}|您的存储空间已满][，而本次调用还需要 {needed}]。[请升级到 {upgrade}，或删除部分数据|请删除部分数据，或申请更多存储空间]',
    },
  },
  SPENDING_LIMIT_REACHED: {
    de: {
      title: 'Ausgabenlimit erreicht',
      sentence:
        '[{subject} {period} {current_usage} von höchstens {allowed_usage} ausgegeben|{subject} {current_usage} von höchstens {allowed_usage} ausgegeben|{subject} das Ausgabenlimit erreicht][, und dieser Aufruf könnte bis zu {needed} kosten]. [Damit er passt, senken Sie max_tokens auf {affordable_max_tokens}. ][Der Rest ist durch noch laufende Aufrufe gebunden: Versuchen Sie es in {retry_after} s erneut|Bitten Sie {organisation}, es zu erhöhen, oder warten Sie bis {resets}|Bitten Sie {organisation}, es zu erhöhen, und versuchen Sie es erneut|Erhöhen Sie das Ausgabenlimit oder warten Sie bis {resets}|Erhöhen Sie das Ausgabenlimit und versuchen Sie es erneut]',
    },
    es: {
      title: 'Límite de gasto alcanzado',
      sentence:
        '[{subject} gastado {current_usage} de un límite de {allowed_usage} {period}|{subject} gastado {current_usage} de un límite de {allowed_usage}|{subject} alcanzado el límite de gasto][, y esta llamada podría costar hasta {needed}]. [Reduzca max_tokens a {affordable_max_tokens} para que quepa. ][Las llamadas en curso retienen lo que queda: reintente en {retry_after} s|Pida a {organisation} que lo aumente o espere hasta el {resets}|Pida a {organisation} que lo aumente y vuelva a intentarlo|Aumente el límite de gasto o espere hasta el {resets}|Aumente el límite de gasto y vuelva a intentarlo]',
    },
    zh: {
      title: '已达到消费限额',
      sentence:
        '[{subject}{period}已消费 {current_usage}，限额为 {allowed_usage}|{subject}已消费 {current_usage}，限额为 {allowed_usage}|{subject}已达到消费限额][，而本次调用最多可能花费 {needed}]。[请将 max_tokens 降到 {affordable_max_tokens} 以内。][剩余部分被仍在运行的调用占用：请在 {retry_after} 秒后重试|请联系{organisation}提高限额，或等到 {resets}|请联系{organisation}提高限额后重试|请提高消费限额，或等到 {resets}|请提高消费限额后重试]',
    },
  },
  CONCURRENCY_LIMIT_EXCEEDED: {
    de: {
      title: 'Alle bezahlten Plätze sind belegt',
      sentence:
        '[Laufende Aufrufe: {current_usage}; der Tarif {current_plan} erlaubt {allowed_usage} zugleich|Laufende Aufrufe: {current_usage}, zugleich erlaubt: {allowed_usage}|Es laufen so viele Aufrufe, wie Ihr Tarif zugleich erlaubt]. [Versuchen Sie es erneut, wenn einer beendet ist, oder wechseln Sie zu {upgrade}|Versuchen Sie es erneut, wenn einer beendet ist]',
    },
    es: {
      title: 'Todas las plazas pagadas están ocupadas',
      sentence:
        '[Llamadas en curso: {current_usage}; el plan {current_plan} permite {allowed_usage} a la vez|Llamadas en curso: {current_usage}, permitidas a la vez: {allowed_usage}|Hay tantas llamadas en curso como su plan permite a la vez]. [Reintente cuando termine una o cambie a {upgrade}|Reintente cuando termine una]',
    },
    zh: {
      title: '付费并发已占满',
      sentence:
        '[当前有 {current_usage} 个调用正在运行，{current_plan} 套餐最多允许 {allowed_usage} 个并发|当前有 {current_usage} 个调用正在运行，最多允许 {allowed_usage} 个并发|正在运行的调用已达到您套餐的并发上限]。[请等其中一个结束后重试，或升级到 {upgrade}|请等其中一个结束后重试]',
    },
  },
  RATE_CAPACITY_EXCEEDED: {
    de: {
      title: 'Bezahlte Anfragerate ausgeschöpft',
      sentence:
        '[{subject} die {allowed_usage} Anfragen pro {window} des Tarifs {current_plan} verbraucht|{subject} die gekauften {allowed_usage} Anfragen pro {window} verbraucht|Die Anfragerate Ihres Tarifs ist ausgeschöpft]. [Wechseln Sie für eine höhere Rate zu {upgrade} oder warten Sie bis {resets}|Wechseln Sie für eine höhere Rate zu {upgrade}|Warten Sie bis {resets} oder bitten Sie um eine höhere Rate|Bitten Sie um eine höhere Rate]',
    },
    es: {
      title: 'Ritmo de solicitudes pagado agotado',
      sentence:
        '[{subject} usado las {allowed_usage} solicitudes por {window} del plan {current_plan}|{subject} usado las {allowed_usage} solicitudes por {window} contratadas|El ritmo de solicitudes de su plan está agotado]. [Cambie a {upgrade} para tener un ritmo mayor o espere hasta el {resets}|Cambie a {upgrade} para tener un ritmo mayor|Espere hasta el {resets} o pida un ritmo mayor|Pida un ritmo mayor]',
    },
    zh: {
      title: '付费请求速率已用尽',
      sentence:
        '[{subject}已用完 {current_plan} 套餐每{window} {allowed_usage} 次请求的速率|{subject}已用完所购每{window} {allowed_usage} 次请求的速率|您套餐的请求速率已用尽]。[请升级到 {upgrade} 以获得更高速率，或等到 {resets}|请升级到 {upgrade} 以获得更高速率|请等到 {resets}，或申请更高速率|请申请更高速率]',
    },
  },
  OVERAGE_AUTHORIZATION_REQUIRED: {
    de: {
      title: 'Mehrverbrauch braucht Ihre Zustimmung',
      sentence:
        '[{subject} {period} {current_usage} von {allowed_usage} {unit} verbraucht|{subject} {current_usage} von {allowed_usage} {unit} verbraucht|Was der Tarif enthält, ist verbraucht]. [Jede weitere Einheit kostet {price} und braucht Ihre Zustimmung|Mehr wird zusätzlich berechnet und braucht Ihre Zustimmung]: Stimmen Sie zu[, wechseln Sie zu {upgrade}][ oder warten Sie bis {resets}]',
    },
    es: {
      title: 'El uso adicional requiere su aprobación',
      sentence:
        '[{subject} usado {current_usage} de {allowed_usage} {unit} {period}|{subject} usado {current_usage} de {allowed_usage} {unit}|Lo que incluye el plan está agotado]. [Cada unidad más cuesta {price} y requiere su aprobación|Lo demás se factura aparte y requiere su aprobación]: apruébelo[, cambie a {upgrade}][ o espere hasta el {resets}]',
    },
    zh: {
      title: '超额使用需要您的授权',
      sentence:
        '[{subject}{period}已使用 {current_usage} {unit}，套餐包含 {allowed_usage} {unit}|{subject}已使用 {current_usage} {unit}，套餐包含 {allowed_usage} {unit}|套餐包含的用量已用尽]。[超出部分每单位 {price}，需要您的授权|超出部分另行计费，需要您的授权]：请授权[，升级到 {upgrade}][，或等到 {resets}]',
    },
  },
  RATE_LIMITED: {
    de: {
      title: 'Zu viele Anfragen',
      sentence:
        '[Dieser Aufruf braucht {too_much}, und mehr als {allowed_usage} pro {window} sind nicht erlaubt|{subject} mehr als {allowed_usage} Anfragen pro {window} gesendet|{subject} Anfragen zu schnell gesendet]. Es wurde nichts berechnet. [Warten schafft keinen Platz für {too_much}: fordern Sie weniger an|Senden Sie langsamer und versuchen Sie es in {retry_after} s erneut|Senden Sie langsamer und versuchen Sie es erneut]',
    },
    es: {
      title: 'Demasiadas solicitudes',
      sentence:
        '[Esta llamada necesita {too_much} y no se permiten más de {allowed_usage} por {window}|{subject} enviado solicitudes a un ritmo mayor que {allowed_usage} por {window}|{subject} enviado solicitudes demasiado rápido]. No se ha cobrado nada. [Esperar no hace sitio para {too_much}: pida menos|Vaya más despacio y reintente en {retry_after} s|Vaya más despacio y vuelva a intentarlo]',
    },
    zh: {
      title: '请求过于频繁',
      sentence:
        '[本次调用需要 {too_much}，而每{window}最多允许 {allowed_usage}|{subject}的请求速度超过了每{window} {allowed_usage} 次|{subject}的请求速度过快]。没有产生任何费用。[等待也无法容纳 {too_much}：请减少用量|请放慢速度，并在 {retry_after} 秒后重试|请放慢速度后重试]',
    },
  },
  CONCURRENCY_LIMITED: {
    de: {
      title: 'Zu viele Aufrufe zugleich',
      sentence:
        '[Laufende Aufrufe: {current_usage}, zugleich erlaubt: {allowed_usage}|Es laufen mehr Aufrufe, als zugleich erlaubt sind]. Es wurde nichts berechnet. Versuchen Sie es erneut, wenn einer beendet ist',
    },
    es: {
      title: 'Demasiadas llamadas a la vez',
      sentence:
        '[Llamadas en curso: {current_usage}, permitidas a la vez: {allowed_usage}|Hay más llamadas en curso de las que se permiten a la vez]. No se ha cobrado nada. Reintente cuando termine una',
    },
    zh: {
      title: '并发调用过多',
      sentence:
        '[当前有 {current_usage} 个调用正在运行，最多允许 {allowed_usage} 个并发|正在运行的调用超过了允许的并发数]。没有产生任何费用。请等其中一个结束后重试',
    },
  },
  PAYMENT_RETRY_STORM: {
    de: {
      title: 'Nach einem 402 zu oft wiederholt',
      sentence:
        'Derselbe unbezahlte Aufruf wird zu oft wiederholt[: mehr als {allowed_usage}-mal in der Minute]. Wiederholen hebt die Antwort 402 [{cause} |]nicht auf: Halten Sie an, beheben Sie die Ursache und rufen Sie dann wieder auf',
    },
    es: {
      title: 'Repetido demasiado tras un 402',
      sentence:
        'La misma llamada sin pagar se repite demasiado[: más de {allowed_usage} veces por minuto]. Repetirla no levanta la respuesta 402 [{cause} |]recibida: deténgase, resuélvala y vuelva a llamar después',
    },
    zh: {
      title: '收到 402 后重复过多',
      sentence:
        '同一个未付款的调用重复过于频繁[：每分钟超过 {allowed_usage} 次]。重试不能解除已返回的 402 [{cause} |]答复：请先停止并解决原因，再重新调用',
    },
  },
};
