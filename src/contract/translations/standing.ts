import type { STANDING_CODES } from '../codes/standing.ts';
import type { Translations } from './translation.ts';

export const STANDING_TRANSLATIONS: Translations<keyof typeof STANDING_CODES> = {
  SUBSCRIPTION_EXPIRED: {
    de: {
      title: 'Abonnement abgelaufen',
      sentence:
        '[Das Abonnement von {account} ist abgelaufen|Ihr Abonnement ist abgelaufen][ (es endete am {plan_end})]. Verlängern Sie es, und der Zugang ist sofort wieder da',
    },
    es: {
      title: 'Suscripción vencida',
      sentence:
        '[La suscripción de {account} ha vencido|Su suscripción ha vencido][ (terminó el {plan_end})]. Renuévela y el acceso vuelve al instante',
    },
    zh: {
      title: '订阅已过期',
      sentence:
        '[{account} 的订阅已过期|您的订阅已过期][（到期时间：{plan_end}）]。续订后立即恢复访问',
    },
  },
  SUBSCRIPTION_CANCELED: {
    de: {
      title: 'Abonnement gekündigt',
      sentence:
        '[Das Abonnement von {account} wurde gekündigt|Ihr Abonnement wurde gekündigt][ und endete am {plan_end}]. Abonnieren Sie erneut, und der Zugang ist sofort wieder da',
    },
    es: {
      title: 'Suscripción cancelada',
      sentence:
        '[La suscripción de {account} se canceló|Su suscripción se canceló][ y terminó el {plan_end}]. Suscríbase de nuevo y el acceso vuelve al instante',
    },
    zh: {
      title: '订阅已取消',
      sentence:
        '[{account} 的订阅已取消|您的订阅已取消][，并于 {plan_end} 结束]。重新订阅后立即恢复访问',
    },
  },
  SUBSCRIPTION_PAUSED: {
    de: {
      title: 'Abonnement pausiert',
      sentence:
        '[Das Abonnement von {account} ist pausiert|Ihr Abonnement ist pausiert][ (bis {resumes})]. Setzen Sie es fort, und der Zugang ist sofort wieder da',
    },
    es: {
      title: 'Suscripción en pausa',
      sentence:
        '[La suscripción de {account} está en pausa|Su suscripción está en pausa][ hasta el {resumes}]. Reanúdela y el acceso vuelve al instante',
    },
    zh: {
      title: '订阅已暂停',
      sentence: '[{account} 的订阅已暂停|您的订阅已暂停][，直到 {resumes}]。恢复订阅后立即恢复访问',
    },
  },
  TRIAL_EXPIRED: {
    de: {
      title: 'Testzeitraum abgelaufen',
      sentence:
        'Der Testzeitraum ist abgelaufen. Bitte wechseln Sie [zu {upgrade}|zu einem bezahlten Tarif][; der Testzeitraum endete am {plan_end}]',
    },
    es: {
      title: 'Periodo de prueba terminado',
      sentence:
        'El periodo de prueba ha terminado. Cambie [a {upgrade}|a un plan de pago][; la prueba terminó el {plan_end}]',
    },
    zh: {
      title: '试用已结束',
      sentence: '试用已结束。请升级[到 {upgrade}|到付费套餐][；试用于 {plan_end} 结束]',
    },
  },
  PAYMENT_METHOD_MISSING: {
    de: {
      title: 'Kein Zahlungsmittel',
      sentence:
        '[Das Konto {account} hat kein Zahlungsmittel|Dieses Konto hat kein Zahlungsmittel], und dieser Aufruf wird nach Verbrauch berechnet. Fügen Sie eines hinzu und versuchen Sie es erneut',
    },
    es: {
      title: 'Sin medio de pago',
      sentence:
        '[La cuenta {account} no tiene medio de pago|Esta cuenta no tiene medio de pago] y esta llamada se cobra según el uso. Añada uno y vuelva a intentarlo',
    },
    zh: {
      title: '没有支付方式',
      sentence:
        '[账户 {account} 没有支付方式|此账户没有支付方式]，而本次调用按用量计费。请添加支付方式后重试',
    },
  },
  PAYMENT_METHOD_INVALID: {
    de: {
      title: 'Zahlung des Abonnements fehlgeschlagen',
      sentence:
        'Die Zahlung des Abonnements ist fehlgeschlagen[: {decline}][, und die Nachfrist endete am {grace_end}]. Bitte aktualisieren Sie Ihr Zahlungsmittel; der Zugang ist wieder da, sobald die Zahlung gelingt',
    },
    es: {
      title: 'El pago de la suscripción falló',
      sentence:
        'El pago de la suscripción falló[: {decline}][, y el plazo de gracia terminó el {grace_end}]. Actualice su medio de pago; el acceso vuelve en cuanto se realice el pago',
    },
    zh: {
      title: '订阅扣款失败',
      sentence:
        '订阅扣款失败[：{decline}][，宽限期已于 {grace_end} 结束]。请更新您的支付方式；付款成功后立即恢复访问',
    },
  },
  PAYMENT_METHOD_UNVERIFIED: {
    de: {
      title: 'Zahlungsmittel nicht bestätigt',
      sentence:
        'Ihr Zahlungsmittel wurde noch nicht bestätigt. Bestätigen Sie es, und der Zugang öffnet sich sofort',
    },
    es: {
      title: 'Medio de pago sin verificar',
      sentence:
        'Su medio de pago aún no está verificado. Verifíquelo y el acceso se abre al instante',
    },
    zh: {
      title: '支付方式未验证',
      sentence: '您的支付方式尚未通过验证。完成验证后立即开通访问',
    },
  },
  PAYMENT_REAUTHORIZATION_REQUIRED: {
    de: {
      title: 'Zahlung muss neu autorisiert werden',
      sentence:
        '[Die autorisierte Zahlung über {price} wurde nicht bestätigt|Die autorisierte Zahlung wurde nicht bestätigt][: {decline}]. Autorisieren Sie sie erneut und versuchen Sie es dann noch einmal',
    },
    es: {
      title: 'Hay que autorizar de nuevo el pago',
      sentence:
        '[El pago autorizado de {price} no se confirmó|El pago autorizado no se confirmó][: {decline}]. Autorícelo de nuevo y vuelva a intentarlo',
    },
    zh: {
      title: '需要重新授权付款',
      sentence:
        '[已授权的 {price} 付款未获确认|已授权的付款未获确认][：{decline}]。请重新授权后再试',
    },
  },
  INVOICE_OVERDUE: {
    de: {
      title: 'Rechnung überfällig',
      sentence:
        'Es gibt offene Rechnungen[: {invoices}, zusammen {amount_due}|: {invoices}]. Bezahlen Sie, und der Zugang ist sofort wieder da',
    },
    es: {
      title: 'Factura vencida',
      sentence:
        'Hay facturas pendientes de pago[: {invoices}, {amount_due} en total|: {invoices}]. Páguelas y el acceso vuelve al instante',
    },
    zh: {
      title: '账单已逾期',
      sentence: '有未付清的账单[：{invoices}，合计 {amount_due}|：{invoices}]。付款后立即恢复访问',
    },
  },
  PAYMENT_DISPUTED: {
    de: {
      title: 'Zahlung angefochten',
      sentence:
        '[Eine Zahlung dieses Kontos über {price}|Eine Zahlung dieses Kontos] ist angefochten, und was damit bezahlt wurde, ruht bis zur Klärung. Klären Sie es mit uns oder zahlen Sie auf anderem Weg',
    },
    es: {
      title: 'Pago en disputa',
      sentence:
        '[Un pago de {price} de esta cuenta|Un pago de esta cuenta] está en disputa, y lo que pagó queda retenido hasta que se resuelva. Resuélvalo con nosotros o pague de otra forma',
    },
    zh: {
      title: '付款存在争议',
      sentence:
        '[此账户的一笔 {price} 付款|此账户的一笔付款]存在争议，所购内容在解决之前已被冻结。请与我们协商解决，或使用其他方式付款',
    },
  },
};
