import type { PAYMENT_CODES } from '../codes/payments.ts';
import type { Translations } from './translation.ts';

export const PAYMENT_TRANSLATIONS: Translations<keyof typeof PAYMENT_CODES> = {
  PAYMENT_REQUIRED: {
    de: {
      title: 'Dieser Aufruf hat einen Preis',
      sentence:
        '[Dieser Aufruf kostet {offer_price}|Dieser Aufruf hat einen Preis], und es kam keine Zahlung mit. Bezahlen Sie die Forderung in den Kopfzeilen dieser Antwort und senden Sie den Aufruf mit dem Nachweis erneut',
    },
    es: {
      title: 'Esta llamada tiene un precio',
      sentence:
        '[Esta llamada cuesta {offer_price}|Esta llamada tiene un precio] y llegó sin pago. Pague lo que piden las cabeceras de esta respuesta y envíe la llamada otra vez con la prueba',
    },
    zh: {
      title: '本次调用需要付费',
      sentence:
        '[本次调用的价格为 {offer_price}|本次调用需要付费]，但请求中没有付款。请支付此响应头中的付款要求，然后附上凭据重新发送',
    },
  },
  CREDENTIAL_EXPIRED: {
    de: {
      title: 'Bezahltes Zugangstoken abgelaufen',
      sentence:
        'Das bezahlte Zugangstoken ist[ am {expired}] abgelaufen. Bezahlen Sie die neue Forderung in den Kopfzeilen dieser Antwort[ ({offer_price})] und senden Sie den Aufruf mit dem Nachweis erneut',
    },
    es: {
      title: 'Credencial pagada caducada',
      sentence:
        'La credencial pagada caducó[ el {expired}]. Pague lo que piden de nuevo las cabeceras de esta respuesta[ ({offer_price})] y envíe la llamada otra vez con la prueba',
    },
    zh: {
      title: '付费凭证已过期',
      sentence:
        '付费凭证已[于 {expired} ]过期。请支付此响应头中的新付款要求[（{offer_price}）]，然后附上凭据重新发送',
    },
  },
  CREDENTIAL_USED_UP: {
    de: {
      title: 'Bezahltes Zugangstoken aufgebraucht',
      sentence:
        '[Das Zugangstoken hat {allowed_usage} von {allowed_usage} Aufrufen bezahlt|Was das Zugangstoken bezahlt hat, ist aufgebraucht]. Bezahlen Sie die neue Forderung in den Kopfzeilen dieser Antwort[ ({offer_price})] und senden Sie den Aufruf mit dem Nachweis erneut',
    },
    es: {
      title: 'Credencial pagada agotada',
      sentence:
        '[La credencial ha pagado {allowed_usage} de {allowed_usage} llamadas|Lo que pagó la credencial está agotado]. Pague lo que piden de nuevo las cabeceras de esta respuesta[ ({offer_price})] y envíe la llamada otra vez con la prueba',
    },
    zh: {
      title: '付费凭证已用完',
      sentence:
        '[该凭证所付的 {allowed_usage} 次调用已全部用完|该凭证所付的内容已用完]。请支付此响应头中的新付款要求[（{offer_price}）]，然后附上凭据重新发送',
    },
  },
  PAYMENT_DECLINED: {
    de: {
      title: 'Zahlung abgelehnt',
      sentence:
        '[Die Zahlung über {price} wurde abgelehnt|Die Zahlung wurde abgelehnt][: {decline}]. Es wurde nichts gekauft. [Versuchen Sie es in {retry_after} s erneut|Berichtigen Sie die Angaben oder zahlen Sie auf anderem Weg]',
    },
    es: {
      title: 'Pago rechazado',
      sentence:
        '[El pago de {price} fue rechazado|El pago fue rechazado][: {decline}]. No se ha comprado nada. [Reintente en {retry_after} s|Corríjalo o pague de otra forma]',
    },
    zh: {
      title: '付款被拒绝',
      sentence:
        '[{price} 的付款被拒绝|付款被拒绝][：{decline}]。没有购买任何内容。[请在 {retry_after} 秒后重试|请更正信息，或使用其他方式付款]',
    },
  },
  UPSTREAM_PAYMENT_REQUIRED: {
    de: {
      title: 'Ihr eigenes Anbieterkonto ist leer',
      sentence:
        '[{provider} lehnt Ihren eigenen Anbieterschlüssel ab|Der Anbieter lehnt Ihren eigenen Anbieterschlüssel ab], weil das Konto dahinter kein Guthaben oder Kontingent mehr hat[ („{upstream_reason}“)]. Laden Sie es dort auf und versuchen Sie es erneut',
    },
    es: {
      title: 'Su propia cuenta del proveedor no tiene fondos',
      sentence:
        '[{provider} rechaza su propia clave|El proveedor rechaza su propia clave] porque la cuenta que hay detrás ya no tiene fondos ni cuota[ («{upstream_reason}»)]. Añada fondos allí y vuelva a intentarlo',
    },
    zh: {
      title: '您自己的上游账户余额不足',
      sentence:
        '[{provider} 拒绝了您自己的密钥|上游提供方拒绝了您自己的密钥]，因为该密钥所属账户已没有余额或配额[（“{upstream_reason}”）]。请在那里充值后重试',
    },
  },
  CREDENTIAL_INVALID: {
    de: {
      title: 'Zugangstoken ungültig',
      sentence:
        'Das Zugangstoken ist ungültig[ („{reason}“)]. Senden Sie es genau so, wie es ausgestellt wurde, mit dem Nachweis, der dazugehört',
    },
    es: {
      title: 'Credencial de pago no válida',
      sentence:
        'La credencial de pago no es válida[ («{reason}»)]. Envíela tal como se emitió, con la prueba que le corresponde',
    },
    zh: {
      title: '付费凭证无效',
      sentence: '付费凭证无效[（“{reason}”）]。请按签发时的原样发送，并附上与之对应的凭据',
    },
  },
  CREDENTIAL_REVOKED: {
    de: {
      title: 'Zugangstoken widerrufen',
      sentence:
        'Dieses Zugangstoken oder eines, von dem es abgeleitet ist, wurde[ am {revoked}] widerrufen. Bitten Sie den Aussteller um ein neues',
    },
    es: {
      title: 'Credencial de pago revocada',
      sentence:
        'Esta credencial de pago, o una de la que procede, fue revocada[ el {revoked}]. Pida una nueva a quien la emitió',
    },
    zh: {
      title: '付费凭证已被撤销',
      sentence: '此付费凭证或其上级凭证已[于 {revoked} ]被撤销。请向签发者申请新的凭证',
    },
  },
  CREDENTIAL_OUT_OF_SCOPE: {
    de: {
      title: 'Zugangstoken gilt nicht für diesen Aufruf',
      sentence:
        'Dieses Zugangstoken deckt diesen Aufruf nicht ab[: Seine Einschränkung {caveat} verbietet ihn]. Nutzen Sie es, wofür es ausgestellt wurde, oder besorgen Sie eines für diesen Aufruf',
    },
    es: {
      title: 'Credencial no válida para esta llamada',
      sentence:
        'Esta credencial de pago no cubre esta llamada[: su restricción {caveat} la prohíbe]. Úsela para lo que se emitió u obtenga una para esta llamada',
    },
    zh: {
      title: '付费凭证不适用于本次调用',
      sentence:
        '此付费凭证不适用于本次调用[：其限制 {caveat} 不允许]。请按签发用途使用，或为本次调用获取新的凭证',
    },
  },
  PAYMENT_BACKEND_UNAVAILABLE: {
    de: {
      title: 'Zahlungen sind gerade nicht möglich',
      sentence:
        'Dieser Aufruf hat einen Preis, und der Dienst, der Zahlungen annimmt, antwortet gerade nicht. Es wurde nichts berechnet. [Versuchen Sie es in {retry_after} s erneut|Versuchen Sie es in Kürze erneut]',
    },
    es: {
      title: 'Ahora no se pueden recibir pagos',
      sentence:
        'Esta llamada tiene un precio y el servicio que recibe los pagos no responde en este momento. No se ha cobrado nada. [Reintente en {retry_after} s|Reintente en breve]',
    },
    zh: {
      title: '暂时无法收款',
      sentence:
        '本次调用需要付费，而收款服务目前没有响应。没有产生任何费用。[请在 {retry_after} 秒后重试|请稍后重试]',
    },
  },
};
